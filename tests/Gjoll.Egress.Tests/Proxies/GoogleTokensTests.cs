using System.Net;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests.Proxies;

public sealed class GoogleTokensTests
{
    private const string Secret = "refresh-canary-0815";
    private const string User = "{\"type\":\"authorized_user\",\"client_id\":\"id\",\"client_secret\":\"client-canary\",\"refresh_token\":\"" + Secret + "\",\"quota_project_id\":\"payer\"}";

    [Fact]
    public async Task ServiceAccount_SignsForATokenThatIsKeptUntilShortlyBeforeItsEnd()
    {
        await using var lab = new ProxyLab();
        using var key = RSA.Create(2048);
        var count = 0;
        var endpoint = lab.Own(LabServer.Answering((_, _) => Token($"token-{++count}")));
        var file = lab.Write("adc.json", JsonSerializer.Serialize(new Dictionary<string, string>
        {
            ["type"] = "service_account",
            ["client_email"] = "robot@example.test",
            ["private_key"] = key.ExportPkcs8PrivateKeyPem(),
            ["private_key_id"] = "key-1",
            ["token_uri"] = "https://oauth2.example.test/token",
        }));
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = Adc(endpoint) with { File = file, Scopes = ["scope-a", "scope-b"] } });

        await lab.GetAsync();
        lab.Time.Now += TimeSpan.FromMinutes(54);
        await lab.GetAsync();
        lab.Time.Now += TimeSpan.FromMinutes(2);
        await lab.GetAsync(fields: "Authorization: Bearer guest\r\nX-Goog-User-Project: guest\r\n");

        Assert.Equal(["Bearer token-1", "Bearer token-1", "Bearer token-2"], server.Requests.Select(request => Field(request.Head, "Authorization")));
        Assert.DoesNotContain("guest", server.Requests.Last().Head, StringComparison.Ordinal);
        var form = Form(endpoint.Requests.First().Body);
        Assert.Equal("urn:ietf:params:oauth:grant-type:jwt-bearer", form["grant_type"]);
        var parts = form["assertion"].Split('.');
        Assert.True(key.VerifyData(Encoding.ASCII.GetBytes($"{parts[0]}.{parts[1]}"), Decode(parts[2]), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        using var header = JsonDocument.Parse(Decode(parts[0]));
        using var claims = JsonDocument.Parse(Decode(parts[1]));
        Assert.Equal(("RS256", "key-1"), (header.RootElement.GetProperty("alg").GetString(), header.RootElement.GetProperty("kid").GetString()));
        Assert.Equal("robot@example.test", claims.RootElement.GetProperty("iss").GetString());
        Assert.Equal("scope-a scope-b", claims.RootElement.GetProperty("scope").GetString());
        Assert.Equal($"http://token.test:{endpoint.Port}/token", claims.RootElement.GetProperty("aud").GetString());
        Assert.Equal(3600, claims.RootElement.GetProperty("exp").GetInt64() - claims.RootElement.GetProperty("iat").GetInt64());
    }

    [Fact]
    public async Task Person_ChangesTheRefreshTokenAndPaysWithTheirProject()
    {
        await using var lab = new ProxyLab();
        var endpoint = lab.Own(LabServer.Answering((_, _) => Token("token-1")));
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        lab.Environment["GOOGLE_APPLICATION_CREDENTIALS"] = lab.Write("adc.json", User);
        await lab.StartAsync(lab.To(server) with { Credential = Adc(endpoint) });

        await lab.GetAsync();

        var form = Form(Assert.Single(endpoint.Requests).Body);
        Assert.Equal(("refresh_token", "id", "client-canary", Secret), (form["grant_type"], form["client_id"], form["client_secret"], form["refresh_token"]));
        var head = Assert.Single(server.Requests).Head;
        Assert.Equal(("Bearer token-1", "payer"), (Field(head, "Authorization"), Field(head, "X-Goog-User-Project")));
    }

    [Fact]
    public async Task Failure_IsBorneAsLongAsTheOldTokenServesAndShowsNothing()
    {
        await using var lab = new ProxyLab();
        var isDown = false;
        var endpoint = lab.Own(LabServer.Answering((_, body) => isDown
            ? Json(400, $"{{\"error\":\"invalid_grant\",\"error_description\":\"{body}\"}}")
            : Token("token-canary")));
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = Adc(endpoint) with { File = lab.Write("adc.json", User) } });

        await lab.GetAsync();
        isDown = true;
        lab.Time.Now += TimeSpan.FromMinutes(57);
        var renewing = await lab.GetAsync();
        var resting = await lab.GetAsync();
        lab.Time.Now += TimeSpan.FromMinutes(4);
        var expired = await lab.GetAsync();

        Assert.StartsWith("HTTP/1.1 200 ", renewing, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 200 ", resting, StringComparison.Ordinal);
        Assert.StartsWith("HTTP/1.1 502 ", expired, StringComparison.Ordinal);
        Assert.Contains("X-Gjoll-Rule: credential", expired, StringComparison.Ordinal);
        Assert.Equal(3, endpoint.Requests.Count);
        Assert.Contains("answered 400 invalid_grant", lab.Logs.Text, StringComparison.Ordinal);
        Assert.All(new[] { Secret, "client-canary", "token-canary" }, canary => Assert.DoesNotContain(canary, lab.Logs.Text + expired, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Calls_ThatComeTogetherFetchOneToken()
    {
        await using var lab = new ProxyLab();
        var isAsked = new TaskCompletionSource();
        var goOn = new TaskCompletionSource();
        var endpoint = lab.Own(LabServer.Raw(async stream =>
        {
            await LabServer.ReadRequestAsync(stream);
            isAsked.SetResult();
            await goOn.Task;
            await stream.WriteAsync(Encoding.ASCII.GetBytes(Token("one")));
        }));
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = Adc(endpoint) with { File = lab.Write("adc.json", User) } });

        var calls = Enumerable.Range(0, 5).Select(_ => lab.GetAsync()).ToList();
        await isAsked.Task.WaitAsync(TestContext.Current.CancellationToken);
        goOn.SetResult();

        Assert.All(await Task.WhenAll(calls), answer => Assert.StartsWith("HTTP/1.1 200 ", answer, StringComparison.Ordinal));
        Assert.Equal(1, endpoint.Connections);
    }

    [Theory]
    [InlineData("<html>")]
    [InlineData("{\"access_token\":\"x\"}")]
    [InlineData("{\"access_token\":\"x\\r\\nX-Evil: 1\",\"expires_in\":3600}")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task Answer_ThatIsNoTokenIsAFailure(string body)
    {
        await using var lab = new ProxyLab();
        var endpoint = lab.Own(LabServer.Answering((_, _) => Json(200, body)));
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        await lab.StartAsync(lab.To(server) with { Credential = Adc(endpoint) with { File = lab.Write("adc.json", User) } });

        Assert.Contains("X-Gjoll-Rule: credential", await lab.GetAsync(), StringComparison.Ordinal);
        Assert.Equal(0, server.Connections);
    }

    [Fact]
    public async Task MetadataServer_IsAskedOnlyWhenItIsNamed()
    {
        await using var lab = new ProxyLab();
        var metadata = lab.Own(LabServer.Answering((_, _) => Token("from-metadata")));
        var server = LabServer.Answering((_, _) => ProxyLab.Ok);
        var definition = lab.To(server);

        var problem = await Assert.ThrowsAsync<EgressFaultException>(() => lab.StartAsync(definition with { Credential = new ProxyCredential.GoogleAdc() }));
        await lab.StartAsync(definition with { Credential = new ProxyCredential.GoogleAdc { MetadataServer = $"127.0.0.1:{metadata.Port}" } });
        await lab.GetAsync();

        Assert.Contains("no application default credentials", problem.Message, StringComparison.Ordinal);
        Assert.Equal("Bearer from-metadata", Field(Assert.Single(server.Requests).Head, "Authorization"));
        Assert.Equal("Google", Field(Assert.Single(metadata.Requests).Head, "Metadata-Flavor"));
    }

    private static ProxyCredential.GoogleAdc Adc(LabServer endpoint) => new()
    {
        TokenEndpoint = $"http://token.test:{endpoint.Port}/token",
        TokenAddresses = [$"127.0.0.1:{endpoint.Port}"],
    };

    private static string Token(string value) => Json(200, $"{{\"access_token\":\"{value}\",\"expires_in\":3600,\"token_type\":\"Bearer\"}}");

    private static string Json(int status, string body) => $"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n{body}";

    private static string Field(string head, string name) =>
        head.Split("\r\n").Single(line => line.StartsWith(name + ": ", StringComparison.OrdinalIgnoreCase))[(name.Length + 2)..];

    private static Dictionary<string, string> Form(string body) =>
        body.Split('&').Select(pair => pair.Split('=')).ToDictionary(pair => pair[0], pair => WebUtility.UrlDecode(pair[1]));

    private static byte[] Decode(string text) => System.Buffers.Text.Base64Url.DecodeFromChars(text);
}
