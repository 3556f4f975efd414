using System.Text.RegularExpressions;

namespace Drella.Tests.Repository;

/// <summary>The arrows of <c>ARCHITECTURE.md</c>, held against what the projects and files really refer to.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string[] Outside =
    [
        "File.", "Directory.", "FileStream(", "Process.", "Environment.", "HttpClient(", "Socket(", "TcpClient(", "RandomNumberGenerator.", "Path.GetTemp", "Console.",
    ];

    /// <summary>What drivers may see of each other, and why.</summary>
    private static readonly (string From, string To, string Why)[] Between =
    [
        ("", "Processes", "the one way to run a program"),
        ("Agents", "Agents.ClaudeCode", "the shelf of programs names the pinned release"),
        ("Agents", "Agents.Stub", "the shelf of programs names the stub"),
        ("Agents.Stub", "Agents.ClaudeCode", "the stub plays Claude Code's format"),
    ];

    [Fact]
    public void Projects_ReferToWhatTheTableAllows()
    {
        var table = Table();
        var projects = SourceTree.Files.Where(path => path.EndsWith(".csproj", StringComparison.Ordinal) && !path.EndsWith(".Tests.csproj", StringComparison.Ordinal)).ToList();
        Assert.Equal(projects.Select(Path.GetDirectoryName).Order(StringComparer.Ordinal), table.Keys.Order(StringComparer.Ordinal));
        Assert.All(projects, project =>
        {
            var allowed = table[Path.GetDirectoryName(project)!];
            Assert.True(
                allowed is null || SourceTree.References(project).IsSubsetOf(allowed),
                $"{project} refers to {string.Join(", ", SourceTree.References(project))}; the table in ARCHITECTURE.md allows {string.Join(", ", allowed ?? new HashSet<string>())}");
        });
    }

    [Fact]
    public void Namespaces_FollowTheFolders() => Assert.All(SourceTree.Code("src/").Concat(SourceTree.Code("tests/")), path =>
    {
        if (Namespace().Match(SourceTree.Read(path)) is { Success: true } found)
        {
            var folder = Path.GetDirectoryName(path)!;
            Assert.Equal(folder[(folder.IndexOf('/', StringComparison.Ordinal) + 1)..].Replace('/', '.'), found.Groups[1].Value);
        }
    });

    [Fact]
    public void Drivers_DoNotSeeTheirSiblings()
    {
        var drivers = SourceTree.Code("src/Drella.Drivers/").ToList();
        var known = drivers.Select(FolderOf).Distinct().Order(StringComparer.Ordinal).ToList();
        Assert.All(drivers, path =>
        {
            var from = FolderOf(path);
            foreach (Match named in DriverName().Matches(WithoutComments(SourceTree.Read(path))))
            {
                var to = known.Where(folder => named.Groups[1].Value == folder || named.Groups[1].Value.StartsWith(folder + ".", StringComparison.Ordinal)).MaxBy(folder => folder.Length);
                Assert.True(
                    to is null || Driver(to) == Driver(from) || Between.Any(arrow => (arrow.From.Length == 0 || arrow.From == from) && arrow.To == to),
                    $"{path} sees its sibling {to}");
            }
        });
    }

    [Fact]
    public void Core_TouchesNothingOutside() => Assert.All(SourceTree.Code("src/Drella.Core/"), path =>
    {
        var code = WithoutComments(SourceTree.Read(path));
        Assert.DoesNotContain(Outside, name => Regex.IsMatch(code, $@"(?<![\w.]){Regex.Escape(name)}"));
        Assert.DoesNotMatch(@"using System\.(Net|Diagnostics\.Process|Security\.Cryptography\.X509)", code);
    });

    /// <summary>Project folder to the names it may use; null for all.</summary>
    private static Dictionary<string, HashSet<string>?> Table()
    {
        var rows = SourceTree.Read("ARCHITECTURE.md").Split('\n').Select(line => Row().Match(line)).Where(row => row.Success).ToList();
        var names = rows.ToDictionary(row => row.Groups[1].Value, row => row.Groups[2].Value.Trim());
        var byShortName = names.Keys.ToDictionary(folder => Path.GetFileName(folder).Replace("Drella.", "", StringComparison.Ordinal), folder => Path.GetFileName(folder));
        return names.ToDictionary(
            row => row.Key,
            row => row.Value switch
            {
                "all" => null,
                "nothing of ours" => [],
                var list => list.Split(',', StringSplitOptions.TrimEntries).Select(name => byShortName[name]).ToHashSet(),
            });
    }

    private static string FolderOf(string path) => Path.GetDirectoryName(path)!["src/Drella.Drivers".Length..].Trim('/').Replace('/', '.');

    // Forges.GitHub.Http belongs to the driver Forges.GitHub; Git and Processes are whole.
    private static string Driver(string folder) => string.Join('.', folder.Split('.').Take(2));

    private static string WithoutComments(string code) => Comment().Replace(code, "");

    [GeneratedRegex(@"^namespace ([\w.]+);", RegexOptions.Multiline)]
    private static partial Regex Namespace();

    [GeneratedRegex(@"\bDrella\.Drivers\.([\w.]+)")]
    private static partial Regex DriverName();

    [GeneratedRegex(@"^\s*//.*$", RegexOptions.Multiline)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^\| `((?:src|tests|bench)/[\w.]+)` \|.*\| ([^|]+) \|\s*$")]
    private static partial Regex Row();
}
