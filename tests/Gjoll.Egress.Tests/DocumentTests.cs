using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gjoll.Egress.Proxies;
using YamlDotNet.Serialization;
using YamlDotNet.Serialization.NamingConventions;

namespace Gjoll.Egress.Tests;

/// <summary>The examples of <c>docs/formats/egress.md</c> are what it says they are.</summary>
public sealed partial class DocumentTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "../../docs/formats/egress.md"));

    [Fact]
    public void Network_IsAPolicyWithoutFault()
    {
        var network = Examples().Single(example => example.Network is not null).Network!;

        var policy = new EgressPolicy { AllowedHosts = network.Allow, AllowedAddresses = network.Addresses };

        Assert.Empty(EgressPolicy.Validate(policy));
        Assert.Equal(["pypi.org", "*.pythonhosted.org"], policy.AllowedHosts);
    }

    [Fact]
    public void Proxies_AreDefinitionsWithoutFaultOfEveryKind()
    {
        var proxies = Examples().Single(example => example.Proxies.Count > 0).Proxies.Select(proxy => proxy.ToDefinition()).ToList();

        Assert.Empty(ProxyDefinition.Validate(proxies));
        Assert.Equal(
            typeof(ProxyCredential).GetNestedTypes().Where(type => type.IsSubclassOf(typeof(ProxyCredential))).OrderBy(type => type.Name),
            proxies.Select(proxy => proxy.Credential.GetType()).OrderBy(type => type.Name));
    }

    [Fact]
    public void Proxy_HasItsDefaultsAsTheyAreTold()
    {
        var proxy = new ProxyDefinition { Name = "x", Port = 1, Target = "https://x.example.com" };

        Assert.Equal((32L << 20, 1L << 30, 64), (proxy.MaxRequestBytes, proxy.MaxResponseBytes, proxy.MaxConnections));
        Assert.Equal((TimeSpan.FromMinutes(10), TimeSpan.FromMinutes(5)), (proxy.AnswerTimeout, proxy.IdleTimeout));
        Assert.Contains("bounds; 32 MiB, 1 GiB, 64", Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Journal_HasTheLinesThatAreShown()
    {
        var shown = Block().Matches(Text).Single(block => block.Groups[1].Value == "json").Groups[2].Value;
        var path = Path.GetTempFileName();
        var time = new ManualTime();
        await using (var journal = new EgressJournal(path, 1 << 20, time))
        {
            await journal.RecordAsync("web-1", null, new EgressDecision("egress", "CONNECT pypi.org:443", true, "allow pypi.org"), TestContext.Current.CancellationToken);
            time.Now += TimeSpan.FromSeconds(1);
            await journal.RecordAsync("web-1", null, new EgressDecision("proxy:model", "DELETE /models/x", false, "not-allowed"), TestContext.Current.CancellationToken);
        }

        Assert.Equal(shown, await File.ReadAllTextAsync(path, TestContext.Current.CancellationToken));
        File.Delete(path);
    }

    private static IEnumerable<EnvironmentPart> Examples()
    {
        // Strict: a key that is shown and not known fails here.
        var reader = new DeserializerBuilder().WithNamingConvention(UnderscoredNamingConvention.Instance).Build();
        return Block().Matches(Text).Where(block => block.Groups[1].Value == "yaml").Select(block => reader.Deserialize<EnvironmentPart>(block.Groups[2].Value));
    }

    private static string Here([CallerFilePath] string path = "") => path;

    [GeneratedRegex("^```(yaml|json)\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
