using System.Text.Json;

namespace Drella.Testing.OpenApi;

/// <summary>
/// A client-side guard: every REST request is checked before it leaves and throws when the description would refuse it; responses are not
/// judged. GraphQL and Git requests pass.
/// </summary>
public sealed class OpenApiHandler(OpenApiGate gate) : DelegatingHandler
{
    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var uri = request.RequestUri!;
        if (!uri.AbsolutePath.EndsWith("/graphql", StringComparison.Ordinal) && !uri.AbsolutePath.Contains(".git/", StringComparison.Ordinal))
        {
            var body = request.Content is null ? [] : await request.Content.ReadAsByteArrayAsync(cancellationToken);
            var problems = gate.ValidateRequest(
                request.Method.Method, uri.PathAndQuery, request.Content?.Headers.ContentType?.MediaType, body);
            if (problems.Count > 0)
            {
                throw new JsonException($"{request.Method} {uri.PathAndQuery}: {string.Join("; ", problems)}");
            }
        }

        return await base.SendAsync(request, cancellationToken);
    }
}
