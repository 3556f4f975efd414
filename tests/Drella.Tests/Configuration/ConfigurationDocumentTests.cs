using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;
using Drella.Configuration;

namespace Drella.Tests.Configuration;

public sealed partial class ConfigurationDocumentTests
{
    private static readonly string Text = File.ReadAllText(Path.Combine(Path.GetDirectoryName(Here())!, "../../../docs/formats/configuration.md"));

    private static readonly string Example = Text.Split("```yaml\n")[1].Split("```")[0];

    [Fact]
    public void Example_LoadsWithoutProblems() => Assert.Empty(ConfigLoader.Parse(Example, "drella.yaml", "/").Problems);

    [Fact]
    public void ExampleAndTable_HoldEveryKeyThatTheLoaderKnows()
    {
        var known = KnownKeys().ToList();

        // Guards the probe below: without the lists of keys in the problems nothing would be compared.
        Assert.True(known.Count > 40, string.Join(' ', known));
        Assert.Equal(known, KeysOfExample());
        Assert.Equal(known.Where(key => !IsSection(key, known)), KeysOfTable());
    }

    [Fact]
    public void Table_NamesTheDefaults()
    {
        var defaults = new DrellaConfig { Folder = "/" };
        var rows = TableRows().ToDictionary(row => row.Keys, row => row.Default);

        Assert.Equal($"`{defaults.Data}`", rows["`data`"]);
        Assert.Equal($"`{defaults.Listen}`", rows["`listen`"]);
        Assert.Equal($"`{defaults.Forge.Listen}`", rows["`forge.listen`"]);
        Assert.Equal($"{defaults.JobBudget}", rows["`budget.job`"]);
        Assert.Equal($"{defaults.MaxJobBudget}", rows["`budget.max`"]);
        Assert.Equal($"{defaults.MaxJobs}, {defaults.MaxJobsPerRepository}, {defaults.MaxJobsPerAuthor}", rows["`queue.jobs`, `queue.per_repository`, `queue.per_author`"]);
        Assert.Equal($"{defaults.MaxRounds}", rows["`agent.max_rounds`"]);
        Assert.Equal($"{defaults.Sandbox.Processes}", rows["`sandbox.processes`"]);
        Assert.Equal($"{defaults.Model.MaxOutputTokens}", rows["`model.max_output_tokens`"]);
        Assert.Equal(defaults.WorkTimeout, Units.Time(rows["`agent.work_timeout`"].Trim('`')));
        Assert.Equal(defaults.IdleTimeout, Units.Time(rows["`agent.idle_timeout`"].Trim('`')));
        Assert.Equal(defaults.PollInterval, Units.Time(rows["`poll_interval`"].Trim('`')));
        Assert.Equal(defaults.Sandbox.KeepFailed, Units.Time(rows["`sandbox.keep_failed`"].Trim('`')));
        Assert.Equal($"`{defaults.Sandbox.Image}`", rows["`sandbox.image`"]);
        Assert.Equal(defaults.Sandbox.Lifetime, Units.Time(rows["`sandbox.lifetime`"].Trim('`')));
    }

    /// <summary>Asks the loader: an unknown key in each section brings the list of the known ones.</summary>
    private static IEnumerable<string> KnownKeys()
    {
        const string probe = """
            zz: 1
            forge: { zz: 1 }
            tasks: [ { repo: a/b, zz: 1 } ]
            issues: [ { repo: a/b, zz: 1 } ]
            identity: { zz: 1 }
            model: { zz: 1 }
            budget: { zz: 1 }
            queue: { zz: 1 }
            agent: { zz: 1 }
            profiles: { NAME: { zz: 1 } }
            sandbox: { zz: 1 }
            review: { zz: 1 }
            """;
        return ConfigLoader.Parse(probe, "drella.yaml", "/").Problems
            .SelectMany(problem => problem.What["is not a key; there are ".Length..].Split(", ").Select(key => problem.Key.Replace("zz", key, StringComparison.Ordinal).Replace("[0]", "[]", StringComparison.Ordinal)))
            .Append("pipelines.NAME")
            .Append("profiles.NAME")
            .Distinct()
            .Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> KeysOfExample()
    {
        var stream = new YamlDotNet.RepresentationModel.YamlStream();
        stream.Load(new StringReader(Example));
        return Walk(stream.Documents[0].RootNode, "").Distinct().Order(StringComparer.Ordinal);
    }

    private static IEnumerable<string> Walk(YamlDotNet.RepresentationModel.YamlNode node, string path) => node switch
    {
        YamlDotNet.RepresentationModel.YamlMappingNode mapping => mapping.Children.SelectMany(child =>
        {
            var key = path is "pipelines" or "profiles" ? "NAME" : child.Key.ToString();
            var at = path.Length == 0 ? key : $"{path}.{key}";
            return Walk(child.Value, at).Prepend(at);
        }),
        YamlDotNet.RepresentationModel.YamlSequenceNode list => list.Children.SelectMany(child => Walk(child, path + "[]")),
        _ => [],
    };

    private static IEnumerable<string> KeysOfTable() => TableRows().SelectMany(row => Code().Matches(row.Keys).Select(match => match.Groups[1].Value)).Order(StringComparer.Ordinal);

    private static IEnumerable<(string Keys, string Default)> TableRows() => Text.Split('\n')
        .Where(line => line.StartsWith("| `", StringComparison.Ordinal))
        .Select(line => line.Split(" | "))
        .Select(cells => (cells[0].TrimStart('|', ' '), cells[^1].TrimEnd('|', ' ')));

    private static bool IsSection(string key, IEnumerable<string> known) =>
        known.Any(other => other.StartsWith(key + ".", StringComparison.Ordinal) || other.StartsWith(key + "[]", StringComparison.Ordinal));

    private static string Here([CallerFilePath] string file = "") => file;

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
