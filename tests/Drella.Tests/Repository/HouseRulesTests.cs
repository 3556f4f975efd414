using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Drella.Tests.Repository;

/// <summary>The repository's own rules, which no compiler knows.</summary>
public sealed partial class HouseRulesTests
{
    /// <summary>The four edges where everything may be caught; HTTP is served in two places, and a machine's process 1 is a Main too.</summary>
    private static readonly Dictionary<string, string> Edges = new()
    {
        ["src/Drella.Core/Jobs/JobRunner.cs"] = "step",
        ["src/Drella.Forge/Rest/RestEdge.cs"] = "HTTP",
        ["src/Drella.Web/Access/Edge.cs"] = "HTTP",
        ["src/Drella.Gateway/Tools/ToolServer.cs"] = "tools",
        ["src/Drella/Verbs/Verb.cs"] = "Main",
        ["src/Gjoll.Cli/Verbs/Verb.cs"] = "Main",
        ["src/Gjoll.Guest/Machine/Boot.cs"] = "Main",
    };

    /// <summary>Where programs are started: each of them with an argument list.</summary>
    private static readonly string[] Starters =
    [
        "src/Drella.Drivers/Processes/ProcessRunner.cs", "src/Gjoll/Hosts/HostProcess.cs", "src/Drella.Forge/Git/GitHttp.cs", "src/Drella.Forge/Git/GitRunner.cs",
        "src/Drella/Doctor/JournalProbe.cs", "src/Gjoll.Warden/CommandLink.cs", "src/Drella.StubAgent/StubPlayer.cs",
    ];

    [Fact]
    public void Everything_IsCaughtAtTheFourEdgesOnly() => Assert.Equal(
        Edges.Keys.Order(StringComparer.Ordinal),
        SourceTree.Code("src/").Where(path => CatchAll().IsMatch(SourceTree.Read(path))).Order(StringComparer.Ordinal));

    /// <summary>A catch without a type cleans up and throws on; it never swallows.</summary>
    [Fact]
    public void CatchWithoutAType_ThrowsOn() => Assert.All(
        SourceTree.Code("src/"),
        path => Assert.All(BareCatch().Matches(SourceTree.Read(path)), block => Assert.Matches(@"\bthrow;\s*$", block.Groups[1].Value)));

    [Fact]
    public void Programs_AreStartedInFewPlacesAndByArgumentList()
    {
        Assert.Equal(
            Starters.Order(StringComparer.Ordinal),
            SourceTree.Code("src/").Where(path => Regex.IsMatch(SourceTree.Read(path), @"(?<![\w.])Process\.Start\(")).Order(StringComparer.Ordinal));
        Assert.All(SourceTree.Code("src/"), path => Assert.DoesNotMatch(@"UseShellExecute = true|\.Arguments = ", SourceTree.Read(path)));
    }

    [Theory]
    [InlineData("P:System.DateTime.Now")]
    [InlineData("P:System.DateTime.UtcNow")]
    [InlineData("P:System.DateTimeOffset.Now")]
    [InlineData("P:System.DateTimeOffset.UtcNow")]
    [InlineData("M:System.Threading.Thread.Sleep(System.Int32)")]
    [InlineData("M:System.Threading.Tasks.Task.Delay(System.TimeSpan)")]
    [InlineData("T:System.Random")]
    [InlineData("M:System.Guid.NewGuid")]
    public void Ban_StandsAndNobodyIsExempt(string symbol)
    {
        Assert.Contains(SourceTree.Read("BannedSymbols.txt").Split('\n'), line => line.StartsWith(symbol + ";", StringComparison.Ordinal));
        Assert.All(SourceTree.Code("src/"), path => Assert.DoesNotContain("RS0030", SourceTree.Read(path), StringComparison.Ordinal));
    }

    [Fact]
    public void Code_LeavesNothingForLater() => Assert.All(
        SourceTree.Code("").Where(path => !path.EndsWith("HouseRulesTests.cs", StringComparison.Ordinal)),
        path => Assert.DoesNotMatch(@"\b(TODO|FIXME|HACK|XXX)\b|#region|\basync void\b", SourceTree.Read(path)));

    [Fact]
    public void Tests_AreNotSwitchedOff() => Assert.All(SourceTree.Code("tests/"), path => Assert.DoesNotMatch(@"\[(Fact|Theory)\([^\]]*Skip\b", SourceTree.Read(path)));

    /// <summary>A document has one title. Specs and roles have theirs in the header.</summary>
    [Fact]
    public void Markdown_HasOneTitle() => Assert.All(SourceTree.Files.Where(path => path.EndsWith(".md", StringComparison.Ordinal) && !path.Contains("/data/", StringComparison.Ordinal)), path =>
    {
        var text = SourceTree.Read(path);
        var titles = Fenced().Replace(text, "").Split('\n').Count(line => line.StartsWith("# ", StringComparison.Ordinal));
        Assert.True(titles == (text.StartsWith("---\n", StringComparison.Ordinal) ? 0 : 1), $"{path} has {titles} titles");
    });

    [Fact]
    public void Dependency_HasItsLineInTheRecordAndAUser()
    {
        var record = SourceTree.Read("docs/adr/0002-dependencies.md").Split('\n').Where(line => line.StartsWith('|')).Select(line => line.Split('|')[1]).ToList();
        var used = SourceTree.Files.Where(path => Path.GetFileName(path) is "packages.lock.json").Select(SourceTree.Read).ToList();
        var versions = XDocument.Parse(SourceTree.Read("Directory.Packages.props")).Descendants()
            .Where(element => element.Name.LocalName is "PackageVersion" or "GlobalPackageReference").Select(element => element.Attribute("Include")!.Value).ToList();
        Assert.NotEmpty(versions);
        Assert.All(versions, package =>
        {
            Assert.Contains(record, names => names.Split(',', StringSplitOptions.TrimEntries).Any(name => Covers(name, package)));
            Assert.True(used.Any(text => text.Contains($"\"{package}\"", StringComparison.Ordinal)), $"nobody uses {package}");
        });
    }

    [Fact]
    public void Project_TakesEveryVersionFromOnePlace() => Assert.All(
        SourceTree.Files.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal)),
        path => Assert.DoesNotMatch(@"<PackageReference[^>]*\bVersion", SourceTree.Read(path)));

    private static bool Covers(string name, string package) => name.EndsWith(".*", StringComparison.Ordinal)
        ? package.StartsWith(name[..^1], StringComparison.Ordinal)
        : package == name || package.StartsWith(name + ".", StringComparison.Ordinal);

    [GeneratedRegex(@"catch \(Exception(?: \w+)?\)(?!\s*when)")]
    private static partial Regex CatchAll();

    [GeneratedRegex(@"\bcatch\s*\{([^{}]*(?:\{[^{}]*\}[^{}]*)*)\}")]
    private static partial Regex BareCatch();

    [GeneratedRegex(@"^(?:```|~~~).*?^(?:```|~~~)\s*$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
