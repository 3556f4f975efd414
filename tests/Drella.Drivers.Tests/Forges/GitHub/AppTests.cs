using System.Buffers.Text;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub;
using Drella.Testing;

namespace Drella.Drivers.Tests.Forges.GitHub;

public sealed class AppTests : IDisposable
{
    private static readonly RepoName Repo = RepoName.Parse("bogus/bogus");
    private readonly FakeTime _time = new();
    private readonly RSA _key = RSA.Create(2048);
    private int _issued;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    private GitHubOptions Options => new()
    {
        Name = "app",
        App = new GitHubApp { ClientId = "Iv1.abc", PrivateKeyPem = _key.ExportRSAPrivateKeyPem() },
        WriteGap = TimeSpan.Zero,
    };

    public void Dispose() => _key.Dispose();

    [Fact]
    public async Task Jwt_IsSignedBoundedAndNamesTheApp()
    {
        var stub = new Stub(Answer);
        using var forge = Stub.Forge(stub, Options, _time);

        await forge.RepoAsync(Repo, Cancel);

        var lookup = stub.Requests[0];
        Assert.EndsWith("/repos/bogus/bogus/installation", lookup.Url.AbsolutePath, StringComparison.Ordinal);
        var jwt = lookup.Authorization!["Bearer ".Length..];
        var parts = jwt.Split('.');
        Assert.True(_key.VerifyData(
            Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Base64Url.DecodeFromChars(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        var claims = JsonElement.Parse(Base64Url.DecodeFromChars(parts[1]));
        var now = _time.GetUtcNow().ToUnixTimeSeconds();
        Assert.Equal("Iv1.abc", claims.GetProperty("iss").GetString());
        Assert.Equal(now - 60, claims.GetProperty("iat").GetInt64());
        Assert.InRange(claims.GetProperty("exp").GetInt64(), now + 1, now + 600);
        Assert.Equal("RS256", JsonElement.Parse(Base64Url.DecodeFromChars(parts[0])).GetProperty("alg").GetString());
    }

    [Fact]
    public async Task InstallationToken_IsForOneRepositoryAndKeptFiftyMinutes()
    {
        var stub = new Stub(Answer);
        using var forge = Stub.Forge(stub, Options, _time);

        await forge.RepoAsync(Repo, Cancel);
        _time.Advance(TimeSpan.FromMinutes(49));
        await forge.RepoAsync(Repo, Cancel);
        Assert.Equal(1, _issued);
        _time.Advance(TimeSpan.FromMinutes(1));
        await forge.RepoAsync(Repo, Cancel);

        Assert.Equal(2, _issued);
        Assert.Equal("Bearer token-2", stub.Requests[^1].Authorization);
        var request = stub.Requests.First(r => r.Url.AbsolutePath == "/app/installations/11111111/access_tokens");
        Assert.Equal("""{"repositories":["bogus"]}""", request.Body);
    }

    [Fact]
    public async Task RefusedToken_IsRenewedOnce()
    {
        var refuse = false;
        var stub = new Stub(seen => refuse && seen.Authorization == "Bearer token-1" ? Stub.Json("{}", HttpStatusCode.Unauthorized) : Answer(seen));
        using var forge = Stub.Forge(stub, Options, _time);
        await forge.RepoAsync(Repo, Cancel);
        refuse = true;

        await forge.RepoAsync(Repo, Cancel);

        Assert.Equal(2, _issued);
    }

    [Fact]
    public async Task TokenThatStaysRefused_IsForbidden()
    {
        var stub = new Stub(seen => seen.Url.AbsolutePath == "/repos/bogus/bogus" ? Stub.Json("""{"message":"Bad credentials"}""", HttpStatusCode.Unauthorized) : Answer(seen));
        using var forge = Stub.Forge(stub, Options, _time);

        Assert.Equal(DriverFailure.Forbidden, (await Assert.ThrowsAsync<DriverException>(() => forge.RepoAsync(Repo, Cancel))).Failure);
        Assert.Equal(2, _issued);
    }

    [Fact]
    public async Task WhoAmI_IsTheBotUser()
    {
        using var forge = Stub.Forge(new Stub(Answer), Options, _time);

        Assert.Equal(new Actor("99", "drella[bot]", IsBot: true), await forge.WhoAmIAsync(Cancel));
    }

    [Fact]
    public async Task GitAccess_HoldsTheInstallationToken()
    {
        using var forge = Stub.Forge(new Stub(Answer), Options, _time);

        var access = await forge.GitAccessAsync(Repo, Cancel);

        Assert.Equal(("x-access-token", "token-1"), (access.User, access.Secret));
        Assert.DoesNotContain("token-1", access.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task RecordedInstallation_IsUnderstood()
    {
        var replay = new Replay("getInstallationByRepository", _time);
        using var forge = Stub.Forge(replay.Stub, Options, _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.RepoAsync(Repo, Cancel));

        Assert.Equal("/app/installations/11111111/access_tokens", replay.Stub.Requests[^1].Url.AbsolutePath);
    }

    [Fact]
    public async Task RecordedToken_SignsTheRequest()
    {
        var replay = new Replay("validJWTTokenAllowsOauthTokenRequest", _time);
        using var forge = Stub.Forge(replay.Stub, Options with { App = Options.App! with { InstallationId = 11575015 } }, _time);

        await Assert.ThrowsAsync<DriverException>(() => forge.RepoAsync(Repo, Cancel));

        Assert.Equal("Bearer v1.9a12d913f980a45a16ac9c3a9d34d9b7sa314cb6", replay.Stub.Requests[^1].Authorization);
    }

    [Fact]
    public void PrivateKey_ThatIsNoneIsRefusedWithoutShowingIt()
    {
        var thrown = Assert.Throws<ArgumentException>(() => Stub.Forge(
            new Stub(Answer), Options with { App = new GitHubApp { ClientId = "x", PrivateKeyPem = "not-a-key-but-secret" } }));

        Assert.DoesNotContain("not-a-key", thrown.Message, StringComparison.Ordinal);
    }

    private HttpResponseMessage Answer(Seen seen) => seen.Url.AbsolutePath switch
    {
        "/repos/bogus/bogus/installation" => Stub.Json("""{"id":11111111}"""),
        "/app/installations/11111111/access_tokens" =>
            Stub.Json($$"""{"token":"token-{{++_issued}}","expires_at":"2026-01-01T01:00:00Z"}""", HttpStatusCode.Created),
        "/app" => Stub.Json("""{"id":5,"slug":"drella"}"""),
        "/users/drella%5Bbot%5D" => Stub.Json("""{"id":99,"login":"drella[bot]","type":"Bot"}"""),
        _ => Stub.Json("""{"id":1,"full_name":"bogus/bogus","default_branch":"main","private":false}"""),
    };
}
