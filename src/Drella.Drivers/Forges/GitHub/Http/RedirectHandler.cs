using System.Net;
using Drella.Core;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>
/// Follows a renamed repository, keeping the method. A read may leave for another public host over https, where the inner handlers add no
/// token; a write never leaves the forge, since its body may hold a secret.
/// </summary>
internal sealed class RedirectHandler(Endpoints endpoints) : DelegatingHandler
{
    private const int MaxHops = 5;

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        for (var hop = 0; ; hop++)
        {
            var response = await base.SendAsync(request, cancellationToken);
            if (response.StatusCode is not (HttpStatusCode.MovedPermanently or HttpStatusCode.Found or HttpStatusCode.TemporaryRedirect
                or HttpStatusCode.PermanentRedirect))
            {
                return response;
            }

            using (response)
            {
                if (hop == MaxHops)
                {
                    throw Refuse(request, "too many redirects");
                }

                request = request.Copy(Target(request, response.Headers.Location));
            }
        }
    }

    private Uri Target(HttpRequestMessage request, Uri? location)
    {
        if (location is null || !Uri.TryCreate(request.RequestUri, location, out var target))
        {
            throw Refuse(request, "a redirect to nowhere");
        }

        if (endpoints.IsOurs(target))
        {
            return target;
        }

        var isPublic = target.Scheme == "https" && target.HostNameType == UriHostNameType.Dns && target.UserInfo.Length == 0
            && !target.IsLoopback && target.Host.Contains('.', StringComparison.Ordinal);
        return isPublic && !request.IsWrite() && request.Content is null
            ? target
            : throw Refuse(request, $"a redirect to {Plain.Line(target.Host, 100)}, which is not followed");
    }

    private static DriverException Refuse(HttpRequestMessage request, string what) => new(isTransient: false, $"{request.Describe()}: {what}");
}
