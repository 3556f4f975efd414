using System.Net.Http.Headers;

namespace Drella.Gateway.Models;

/// <summary>The Anthropic Messages API, with the host's credential.</summary>
public sealed class AnthropicUpstream(ModelOptions options) : IModelUpstream, IDisposable
{
    private readonly HttpMessageInvoker http = new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseCookies = false,
        AutomaticDecompression = System.Net.DecompressionMethods.None,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        ConnectTimeout = TimeSpan.FromSeconds(20),
        ActivityHeadersPropagator = null,
    });

    /// <inheritdoc/>
    public IReadOnlyList<string> Secrets { get; } = options.ApiKey is "" ? [] : [options.ApiKey];

    /// <inheritdoc/>
    public async Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, new Uri(options.BaseUrl.AbsoluteUri.TrimEnd('/') + call.PathAndQuery))
        {
            Content = new ReadOnlyMemoryContent(call.Body),
        };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        foreach (var (name, value) in call.Headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        request.Headers.TryAddWithoutValidation("x-api-key", options.ApiKey);
        var response = await http.SendAsync(request, cancellationToken);
        var headers = response.Headers.Concat(response.Content.Headers)
            .ToDictionary(header => header.Key.ToLowerInvariant(), header => string.Join(", ", header.Value), StringComparer.Ordinal);
        return new UpstreamAnswer((int)response.StatusCode, headers, await response.Content.ReadAsStreamAsync(cancellationToken), response);
    }

    public void Dispose() => http.Dispose();
}
