using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests.Proxies;

public sealed class ProxyDefinitionTests
{
    private static readonly ProxyDefinition Good = new() { Name = "api", Port = 18080, Target = "https://api.example.com/v1", Allow = [new ProxyRule(["GET"], "/**")] };

    [Theory]
    [InlineData("https://api.example.com")]
    [InlineData("https://api.example.com:8443/a/b/")]
    [InlineData("https://8.8.8.8")]
    [InlineData("https://[2606:4700::1111]:444/x")]
    [InlineData("http://api.example.com")]
    public void Target_IsGood(string target) => Assert.Empty(ProxyDefinition.Validate([Good with { Target = target }]));

    [Theory]
    [InlineData("")]
    [InlineData("api.example.com")]
    [InlineData("HTTPS://api.example.com")]
    [InlineData("ftp://api.example.com")]
    [InlineData("https://API.example.com")]
    [InlineData("https://user:hunter2@api.example.com")]
    [InlineData("https://api.example.com/?key=hunter2")]
    [InlineData("https://api.example.com/#x")]
    [InlineData("https://api.example.com/../x")]
    [InlineData("https://api.example.com:0")]
    [InlineData("https://api.example.com:70000")]
    [InlineData("https://127.1")]
    [InlineData("https://0x7f000001")]
    [InlineData("https://127.0.0.1")]
    [InlineData("https://169.254.169.254")]
    [InlineData("https://[::1]")]
    [InlineData("https://[::1")]
    [InlineData("https://")]
    public void Target_IsAFaultThatRepeatsNothing(string target)
    {
        var problem = Assert.Single(ProxyDefinition.Validate([Good with { Target = target }]));

        Assert.StartsWith("proxy 'api': target: ", problem, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Address_ThatIsNotPublicMayBeNamed() =>
        Assert.Empty(ProxyDefinition.Validate([Good with { Target = "https://10.1.2.3:8443", Addresses = ["10.1.2.3:8443"] }]));

    [Fact]
    public void Credential_IsNotSentInTheClearSaveToNamedAddresses()
    {
        var clear = Good with { Target = "http://api.example.com", Credential = new ProxyCredential.Static("X-Key") { Variable = "K" } };

        Assert.Contains("in the clear", Assert.Single(ProxyDefinition.Validate([clear])), StringComparison.Ordinal);
        Assert.Empty(ProxyDefinition.Validate([clear with { Addresses = ["10.1.2.3:80"] }]));
    }

    [Fact]
    public void Faults_AreAllToldAtOnce()
    {
        var problems = ProxyDefinition.Validate(
        [
            new ProxyDefinition
            {
                Name = "Bad Name",
                Port = 0,
                Target = "nowhere",
                Addresses = ["10.0.0.1"],
                AuthorityFile = "relative.pem",
                Allow = [new ProxyRule(["get", "CONNECT"], "v1"), new ProxyRule([], "/x")],
                Credential = new ProxyCredential.Static("Content-Length", "\n") { Variable = "A", File = "b" },
                MaxRequestBytes = 0,
                MaxResponseBytes = -1,
                MaxConnections = 0,
                AnswerTimeout = TimeSpan.Zero,
                IdleTimeout = TimeSpan.Zero,
            },
            Good with { Credential = new ProxyCredential.GoogleAdc { Scopes = [], TokenEndpoint = "http://token.example.com", TokenAddresses = [], MetadataServer = "metadata", File = "x" } },
            Good with { Credential = new ProxyCredential.AwsSigV4("S3", "") { UnsignedPayload = true, File = "x" } },
            Good with { Name = "nothing", Port = 1, Allow = [] },
        ]);

        Assert.Equal(29, problems.Count);
        Assert.All(problems, problem => Assert.StartsWith("proxy '", problem, StringComparison.Ordinal));
    }
}
