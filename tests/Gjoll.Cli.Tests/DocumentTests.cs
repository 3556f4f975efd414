using System.CommandLine;
using System.Text.RegularExpressions;
using Gjoll.Environments;

namespace Gjoll.Cli.Tests;

/// <summary>The pages of the command and of environments say what is.</summary>
public sealed partial class DocumentTests
{
    private static readonly RootCommand Tree = Verbs.Root.Build(TextWriter.Null, TextWriter.Null);

    [Fact]
    public void Page_NamesEveryVerb()
    {
        var page = Read("docs/formats/gjoll-cli.md");

        Assert.All(
            Tree.Subcommands.SelectMany(verb => verb.Subcommands.Count == 0 ? [verb.Name] : verb.Subcommands.Select(inner => $"{verb.Name} {inner.Name}")),
            verb => Assert.Matches($"`{verb}[ `]", page));
    }

    [Fact]
    public void Page_NamesEveryExitCode() => Assert.All(
        Enum.GetValues<Terminal.ExitCode>(),
        code => Assert.Contains(((int)code).ToString(System.Globalization.CultureInfo.InvariantCulture), Read("docs/formats/gjoll-cli.md"), StringComparison.Ordinal));

    [Fact]
    public void EnvironmentPage_HasExamplesThatAreRead()
    {
        var examples = Yaml().Matches(Read("docs/formats/environment.md")).Select(match => match.Groups[1].Value).ToList();

        Assert.Equal(2, examples.Count);
        Assert.All(examples, example =>
        {
            var reading = EnvironmentReader.Read(example, "example", "/");
            Assert.Empty(reading.Errors);
            Assert.NotNull(reading.Environment);
        });
        var second = EnvironmentReader.Read(examples[1], "example", "/").Environment!;
        Assert.Equal([3128, 18080, 18081, 18082, 5432], second.ToSpec(new SandboxName("x")).Forwards.OfType<Forward.Tcp>().Select(forward => forward.GuestPort));
    }

    [Fact]
    public void ShippedEnvironments_AreRead()
    {
        var files = Directory.GetFiles(Path.Combine(AppContext.BaseDirectory, "environments"));

        Assert.NotEmpty(files);
        Assert.All(files, file => Assert.Empty(EnvironmentReader.Read(File.ReadAllText(file), "default", "/").Errors));
    }

    [Theory]
    [InlineData("format: 2", "Format 2 is not known")]
    [InlineData("format: 1\nforwards: [{guest: 80, host: /run/x}]", "must be a port from 1024")]
    [InlineData("format: 1\nforwards: [{guest: /run/gjoll/x, host: /run/x}]", "under /run/")]
    [InlineData("format: 1\nforwards: [{guest: /run/../etc/x, host: /run/x}]", "under /run/")]
    [InlineData("format: 1\nforwards: [{guest: 3128, host: /run/x}]\negress: {allow: []}", "used twice")]
    [InlineData("format: 1\nproxies: [{name: p, port: 18080, target: 'https://u:p@example.com', allow: [{methods: [GET], path: /}]}]", "'target'")]
    [InlineData("format: 1\nproxies: [{name: p, port: 18080, target: 'https://example.com'}]", "lacks the key 'allow'")]
    [InlineData("format: 1\nproxies: [{name: p, port: 18080, target: 'https://example.com', allow: [{methods: [GET], path: /}], credential: {header: x}}]", "exactly one of")]
    [InlineData("format: 1\nfiles: [{path: /a, content: x, from: y}]", "exactly one of")]
    [InlineData("format: 1\nfolders: [{host: /, guest: /etc/x}]", "under /opt/")]
    [InlineData("format: 1\nimage: 'a b'", "names no image")]
    [InlineData("format: 1\nx: &a [*a]", "Anchors")]
    [InlineData("format: 1\n---\nformat: 1", "one YAML document")]
    [InlineData("format: [", "not YAML")]
    [InlineData("[1]", "table of keys")]
    public void Reader_RefusesAndSaysWhy(string text, string expected)
    {
        var reading = EnvironmentReader.Read(text, "x", "/");

        Assert.Null(reading.Environment);
        Assert.Contains(reading.Errors, error => error.Text.Contains(expected, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("bash")]
    [InlineData("zsh")]
    [InlineData("fish")]
    public async Task Completions_NameTheVerbs(string shell)
    {
        var output = new StringWriter();

        var code = await CommandLine.RunAsync("gjoll", Verbs.Root.Build(output, TextWriter.Null), ["completion", shell], output, TextWriter.Null, TestContext.Current.CancellationToken);

        Assert.Equal(0, code);
        Assert.All((string[])["snapshot", "image", "verify", "gjoll"], word => Assert.Contains(word, output.ToString(), StringComparison.Ordinal));
        Assert.DoesNotContain("--detached", output.ToString(), StringComparison.Ordinal);
    }

    private static string Read(string path)
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "Drella.slnx")))
        {
            folder = folder.Parent!;
        }

        return File.ReadAllText(Path.Combine(folder.FullName, path));
    }

    [GeneratedRegex("^```yaml\n(.*?)^```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Yaml();
}
