using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;

namespace Drella.Drivers.Forges.GitHub.Http;

/// <summary>
/// The tokens that requests are signed with: the configured one, or for an app one per repository, asked for when needed, kept 50 of its 60
/// minutes. Knows every live token, to take it out of texts.
/// </summary>
internal sealed class Credentials : IDisposable
{
    private static readonly TimeSpan Lifetime = TimeSpan.FromMinutes(50);

    private readonly GitHubOptions _options;
    private readonly Endpoints _endpoints;
    private readonly TimeProvider _time;
    private readonly RSA? _key;
    private readonly ConcurrentDictionary<string, Issued> _issued = new(StringComparer.OrdinalIgnoreCase);
    private readonly SemaphoreSlim _issuing = new(1, 1);

    public Credentials(GitHubOptions options, Endpoints endpoints, TimeProvider time)
    {
        if (string.IsNullOrEmpty(options.Token) == options.App is null)
        {
            throw new ArgumentException($"Forge {options.Name} needs either a token or an app");
        }

        if (options.Token?.Any(c => c is <= ' ' or > '~') == true)
        {
            throw new ArgumentException($"The token of forge {options.Name} has characters that no token has");
        }

        (_options, _endpoints, _time) = (options, endpoints, time);
        if (options.App is { } app)
        {
            _key = RSA.Create();
            try
            {
                _key.ImportFromPem(app.PrivateKeyPem);
            }
            catch (Exception e) when (e is ArgumentException or CryptographicException)
            {
                _key.Dispose();
                throw new ArgumentException($"The private key of forge {options.Name} is not an RSA key in PEM", e);
            }
        }
    }

    /// <summary>The token for a request; null when an app has none that fits, so that the request goes unsigned.</summary>
    public async Task<string?> TokenAsync(
        HttpRequestMessage request, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        if (_options.App is not { } app)
        {
            return _options.Token;
        }

        if (request.Get(Requests.AsApp))
        {
            return Jwt(app);
        }

        var repo = request.Get(Requests.Repo);
        if (repo is null && app.InstallationId is null)
        {
            return _issued.Values.FirstOrDefault(IsFresh)?.Token;
        }

        var key = repo?.ToString() ?? "";
        if (_issued.TryGetValue(key, out var known) && IsFresh(known))
        {
            return known.Token;
        }

        await _issuing.WaitAsync(cancellationToken);
        try
        {
            if (_issued.TryGetValue(key, out known) && IsFresh(known))
            {
                return known.Token;
            }

            var token = await IssueAsync(app, repo, send, cancellationToken);
            _issued[key] = new Issued(token, _time.GetUtcNow() + Lifetime);
            return token;
        }
        finally
        {
            _issuing.Release();
        }
    }

    /// <summary>Drops a token that was refused; true when asking again can give another.</summary>
    public bool Forget(string? token)
    {
        foreach (var (key, issued) in _issued)
        {
            if (issued.Token == token)
            {
                return _issued.TryRemove(new KeyValuePair<string, Issued>(key, issued));
            }
        }

        return false;
    }

    /// <summary>Takes every token we hold out of a text.</summary>
    public string Redact(string text) =>
        _issued.Values.Select(i => i.Token).Append(_options.Token ?? "").Where(t => t.Length > 0)
            .Aggregate(text, (t, token) => t.Replace(token, "***", StringComparison.Ordinal));

    public void Dispose()
    {
        _key?.Dispose();
        _issuing.Dispose();
    }

    private bool IsFresh(Issued issued) => issued.RenewAt > _time.GetUtcNow();

    private async Task<string> IssueAsync(
        GitHubApp app, RepoName? repo, Func<HttpRequestMessage, CancellationToken, Task<HttpResponseMessage>> send, CancellationToken cancellationToken)
    {
        var installation = app.InstallationId;
        if (installation is null)
        {
            using var lookup = AppRequest(app, HttpMethod.Get, UrlFormat.Url($"/repos/{repo!.Value}/installation"));
            using var found = await send(lookup, cancellationToken);
            await Answers.EnsureSuccessAsync(lookup, found, this, cancellationToken);
            installation = (await Answers.ReadAsync<WireInstallation>(lookup, found, cancellationToken)).Id;
        }

        using var request = AppRequest(app, HttpMethod.Post, UrlFormat.Url($"/app/installations/{installation}/access_tokens"));
        if (repo is { } one)
        {
            request.Content = JsonBody.Of(new WireTokenRequest([one.Name]));
        }

        using var response = await send(request, cancellationToken);
        await Answers.EnsureSuccessAsync(request, response, this, cancellationToken);
        return (await Answers.ReadAsync<WireToken>(request, response, cancellationToken)).Token is { Length: > 0 } token && token.All(c => c is > ' ' and <= '~')
            ? token
            : throw new DriverException(isTransient: true, $"{request.Describe()}: the answer holds no token");
    }

    private HttpRequestMessage AppRequest(GitHubApp app, HttpMethod method, string path)
    {
        var request = GitHubApi.NewRequest(method, _endpoints.Rest(path));
        request.Headers.Authorization = new("Bearer", Jwt(app));
        return request;
    }

    private string Jwt(GitHubApp app)
    {
        // A minute back, since GitHub refuses tokens from the future; ten minutes is the longest it accepts.
        var now = _time.GetUtcNow();
        var payload = new JsonObject
        {
            ["iat"] = now.AddSeconds(-60).ToUnixTimeSeconds(),
            ["exp"] = now.AddMinutes(9).ToUnixTimeSeconds(),
            ["iss"] = app.ClientId,
        };
        var signed = $"{Encode("""{"alg":"RS256","typ":"JWT"}"""u8)}.{Encode(JsonSerializer.SerializeToUtf8Bytes(payload, WireJson.Default.JsonObject))}";
        var signature = _key!.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{signed}.{Encode(signature)}";
    }

    private static string Encode(ReadOnlySpan<byte> bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    private sealed record Issued(string Token, DateTimeOffset RenewAt);
}
