using System.Net;
using System.Net.Http.Headers;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>Signs requests to the forge, and to the forge only. A token that an app was refused with is renewed once.</summary>
internal sealed class AuthenticationHandler(Endpoints endpoints, Credentials credentials) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = null;
        if (!endpoints.IsOurs(request.RequestUri!))
        {
            return await base.SendAsync(request, cancellationToken);
        }

        var token = await credentials.TokenAsync(request, base.SendAsync, cancellationToken);
        var response = await SendAsync(request, token, cancellationToken);
        if (response.StatusCode != HttpStatusCode.Unauthorized || !credentials.Forget(token))
        {
            return response;
        }

        response.Dispose();
        var again = request.Copy();
        return await SendAsync(again, await credentials.TokenAsync(again, base.SendAsync, cancellationToken), cancellationToken);
    }

    private Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, string? token, CancellationToken cancellationToken)
    {
        request.Headers.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return base.SendAsync(request, cancellationToken);
    }
}
