using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gjoll.Egress.Proxies;

/// <summary>
/// Access tokens from application default credentials: a service account signs for one, a person's refresh token is changed for one, and the
/// metadata server is asked only when an operator named it. Whoever asks while one is fetched waits for it.
/// </summary>
internal sealed class GoogleTokens(ProxyCredential.GoogleAdc credential, Func<string, string?> environment, TargetClient clients, TimeProvider time) : IDisposable
{
    private const string GoogleEndpoint = "https://oauth2.googleapis.com/token";
    private const int MaxAnswer = 64 * 1024;
    private static readonly TimeSpan Early = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan FetchTimeout = TimeSpan.FromSeconds(30);

    // A guest can ask without end; the endpoint is not to be asked as often.
    private static readonly TimeSpan RestAfterFailure = TimeSpan.FromSeconds(5);

    private readonly SemaphoreSlim gate = new(1);
    private readonly HttpMessageInvoker endpointClient = clients.Make(Addresses.Parse(credential.TokenAddresses), null, 2);
    private readonly HttpMessageInvoker? metadataClient =
        credential.MetadataServer is { } server ? clients.Make(Addresses.Parse([server]), null, 2) : null;

    private GoogleToken? current;
    private (DateTimeOffset Until, string Message)? failed;

    public async Task<GoogleToken> GetAsync(CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref current) is { } fresh && time.GetUtcNow() < fresh.RenewAt)
        {
            return fresh;
        }

        await gate.WaitAsync(cancellationToken);
        try
        {
            return await RenewAsync(cancellationToken);
        }
        finally
        {
            gate.Release();
        }
    }

    /// <summary>Reads the credential without asking for a token.</summary>
    public Task CheckAsync(CancellationToken cancellationToken) => ReadAsync(cancellationToken);

    public void Dispose()
    {
        endpointClient.Dispose();
        metadataClient?.Dispose();
        gate.Dispose();
    }

    private async Task<GoogleToken> RenewAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        if (current is { } other && now < other.RenewAt)
        {
            return other;
        }

        if (failed is not { } rest || now >= rest.Until)
        {
            try
            {
                Volatile.Write(ref current, await FetchAsync(cancellationToken));
                failed = null;
                return current!;
            }
            catch (CredentialException problem)
            {
                failed = (time.GetUtcNow() + RestAfterFailure, problem.Message);
            }
        }

        return current is { } old && time.GetUtcNow() < old.Expires ? old : throw new CredentialException(failed!.Value.Message);
    }

    private async Task<GoogleToken> FetchAsync(CancellationToken cancellationToken)
    {
        var file = await ReadAsync(cancellationToken);
        using var request = file is null ? MetadataRequest() : EndpointRequest(file);
        using var limit = new CancellationTokenSource(FetchTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, limit.Token);
        try
        {
            using var response = await (file is null ? metadataClient! : endpointClient).SendAsync(request, both.Token);
            await using var body = await response.Content.ReadAsStreamAsync(both.Token);
            var buffer = new byte[MaxAnswer];
            var length = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, both.Token);
            return Read(response.StatusCode, buffer.AsMemory(0, length), file?.QuotaProject);
        }
        catch (Exception problem) when (problem is HttpRequestException or IOException)
        {
            throw new CredentialException($"Google's token endpoint could not be reached: {(problem as HttpRequestException)?.HttpRequestError.ToString() ?? problem.GetType().Name}");
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new CredentialException("Google's token endpoint took too long");
        }
    }

    private GoogleToken Read(HttpStatusCode status, ReadOnlyMemory<byte> answer, string? quotaProject)
    {
        try
        {
            using var json = JsonDocument.Parse(answer);
            if (status == HttpStatusCode.OK && json.RootElement.GetProperty("access_token").GetString() is { } token)
            {
                var lifetime = TimeSpan.FromSeconds(Math.Clamp(json.RootElement.GetProperty("expires_in").GetInt64(), 1, 24 * 60 * 60));
                var now = time.GetUtcNow();
                var early = lifetime / 2 < Early ? lifetime / 2 : Early;
                return new GoogleToken(SecretText.HeaderValue("", token, "the access token"), quotaProject, now + lifetime - early, now + lifetime);
            }

            var code = json.RootElement.TryGetProperty("error", out var error) && error.ValueKind == JsonValueKind.String ? error.GetString()! : "";
            var isCode = code.Length is > 0 and < 40 && code.All(c => char.IsAsciiLetterLower(c) || c == '_');
            throw new CredentialException($"Google's token endpoint answered {(int)status}{(isCode ? " " + code : "")}");
        }
        catch (Exception problem) when (problem is JsonException or KeyNotFoundException or InvalidOperationException or FormatException)
        {
            throw new CredentialException($"Google's token endpoint answered {(int)status} with something else than a token");
        }
    }

    private HttpRequestMessage MetadataRequest()
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"http://{credential.MetadataServer}/computeMetadata/v1/instance/service-accounts/default/token");
        request.Headers.TryAddWithoutValidation("Metadata-Flavor", "Google");
        return request;
    }

    private HttpRequestMessage EndpointRequest(GoogleFile file)
    {
        var endpoint = credential.TokenEndpoint ?? file.TokenUri ?? GoogleEndpoint;
        if (ProxyTarget.Parse(endpoint) is not { } target || (!target.IsTls && credential.TokenEndpoint is null))
        {
            throw new CredentialException("the token_uri of the credential file is not an https address");
        }

        var form = file.RefreshToken is not null
            ? new Dictionary<string, string>
            {
                ["grant_type"] = "refresh_token",
                ["client_id"] = file.ClientId!,
                ["client_secret"] = file.ClientSecret!,
                ["refresh_token"] = file.RefreshToken,
            }
            : new Dictionary<string, string>
            {
                ["grant_type"] = "urn:ietf:params:oauth:grant-type:jwt-bearer",
                ["assertion"] = Assertion(file, endpoint),
            };
        return new HttpRequestMessage(HttpMethod.Post, endpoint) { Content = new FormUrlEncodedContent(form) };
    }

    private string Assertion(GoogleFile file, string audience)
    {
        var now = time.GetUtcNow().ToUnixTimeSeconds();
        var header = Json(json =>
        {
            json.WriteString("alg", "RS256");
            json.WriteString("typ", "JWT");
            if (file.KeyId is not null)
            {
                json.WriteString("kid", file.KeyId);
            }
        });
        var claims = Json(json =>
        {
            json.WriteString("iss", file.ClientEmail);
            json.WriteString("scope", string.Join(' ', credential.Scopes));
            json.WriteString("aud", audience);
            json.WriteNumber("iat", now);
            json.WriteNumber("exp", now + 3600);
        });
        using var key = RSA.Create();
        try
        {
            key.ImportFromPem(file.PrivateKey);
            var text = $"{header}.{claims}";
            return $"{text}.{Encode(key.SignData(Encoding.ASCII.GetBytes(text), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1))}";
        }
        catch (Exception problem) when (problem is ArgumentException or CryptographicException)
        {
            throw new CredentialException("the private_key of the credential file is not an RSA key in PEM");
        }
    }

    private static string Json(Action<Utf8JsonWriter> write)
    {
        var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        return Encode(text.ToArray());
    }

    private static string Encode(byte[] bytes) => System.Buffers.Text.Base64Url.EncodeToString(bytes);

    /// <summary>The credential file; null when there is none and the metadata server may be asked.</summary>
    private async Task<GoogleFile?> ReadAsync(CancellationToken cancellationToken)
    {
        var named = credential.File ?? environment("GOOGLE_APPLICATION_CREDENTIALS") switch { { Length: > 0 } variable => variable, _ => null };
        var path = named ?? (environment("HOME") is { Length: > 0 } home ? Path.Combine(home, ".config", "gcloud", "application_default_credentials.json") : null);
        if (named is null && metadataClient is not null && !File.Exists(path))
        {
            return null;
        }

        return path is not null
            ? GoogleFile.Parse(await SecretText.ReadAsync(path, cancellationToken), path)
            : throw new CredentialException("there are no application default credentials: name a file, or set GOOGLE_APPLICATION_CREDENTIALS");
    }
}
