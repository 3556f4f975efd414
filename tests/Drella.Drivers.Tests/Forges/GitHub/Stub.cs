using System.Net;
using System.Text;
using Drella.Drivers.Forges.GitHub;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Forges.GitHub;

/// <summary>What one request looked like on the wire.</summary>
internal sealed record Seen(HttpMethod Method, Uri Url, string Body, string? Authorization, string? IfNoneMatch, DateTimeOffset At);

/// <summary>A forge made of one function; keeps what it was asked.</summary>
internal sealed class Stub(Func<Seen, HttpResponseMessage> answer, TimeProvider? time = null) : HttpMessageHandler
{
    public const string Token = "ghp_secretsecretsecret";

    public List<Seen> Requests { get; } = [];

    public static GitHubOptions Options { get; } = new() { Name = "test", Token = Token, WriteGap = TimeSpan.Zero };

    public static HttpResponseMessage Json(string json, HttpStatusCode status = HttpStatusCode.OK, params (string Name, string Value)[] headers)
    {
        var response = new HttpResponseMessage(status) { Content = new StringContent(json, Encoding.UTF8, "application/json") };
        foreach (var (name, value) in headers)
        {
            response.Headers.TryAddWithoutValidation(name, value);
        }

        return response;
    }

    public static GitHubForge Forge(Stub stub, GitHubOptions? options = null, TimeProvider? time = null, ILogger<GitHubForge>? logger = null) =>
        new(options ?? Options, stub, time ?? new Testing.FakeTime(), logger ?? NullLogger<GitHubForge>.Instance);

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var body = request.Content is null ? "" : await request.Content.ReadAsStringAsync(cancellationToken);
        var seen = new Seen(
            request.Method, request.RequestUri!, body, request.Headers.Authorization?.ToString(), request.Headers.IfNoneMatch.ToString() is { Length: > 0 } t ? t : null,
            time?.GetUtcNow() ?? default);
        Requests.Add(seen);
        return answer(seen);
    }
}
