using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Drella.EndToEnd.Tests.Verbs;

/// <summary>What <c>docs/formats/cli.md</c> promises of a verb's document: the names of its members, in order.</summary>
internal static partial class CliDocument
{
    private static readonly Dictionary<string, string> Rows = Read();

    /// <summary>Fails when the document has other members than the page says.</summary>
    public static void Holds(string verb, JsonNode document)
    {
        var said = Rows[verb];
        if (said.StartsWith("list of", StringComparison.Ordinal))
        {
            Assert.All(Assert.IsType<JsonArray>(document), item => Assert.Equal(Members(said), Names(item!)));
            Assert.NotEmpty(document.AsArray());
        }
        else
        {
            Assert.Equal(said.Contains("as in `job ls`", StringComparison.Ordinal) ? Members(Rows["job ls"]) : Members(said), Names(document));
        }
    }

    /// <summary>Exit codes that the page lists.</summary>
    public static IEnumerable<int> ExitCodes => Code().Matches(Text()).Select(match => int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));

    private static IEnumerable<string> Names(JsonNode node) => node.AsObject().Select(member => member.Key);

    private static string[] Members(string said) => Braces().Match(said).Groups[1].Value.Split(", ");

    private static Dictionary<string, string> Read()
    {
        var rows = new Dictionary<string, string>();
        foreach (var cells in Text().Split('\n').Select(line => line.Split(" | ")).Where(cells => cells.Length == 2 && cells[0].StartsWith("| `", StringComparison.Ordinal)))
        {
            foreach (Match verb in Verb().Matches(cells[0]))
            {
                rows[Full(verb.Groups[1].Value, cells[0])] = cells[1];
            }
        }

        return rows;
    }

    // "`job cancel`, `retry`" stands for `job cancel` and `job retry`.
    private static string Full(string name, string cell) =>
        !name.Contains(' ', StringComparison.Ordinal) && cell.StartsWith("| `job ", StringComparison.Ordinal) ? $"job {name}" : name;

    private static string Text([CallerFilePath] string here = "") => File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/formats/cli.md"));

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Verb();

    [GeneratedRegex("\\{([^}]+)\\}")]
    private static partial Regex Braces();

    [GeneratedRegex("^\\| (\\d+) \\|", RegexOptions.Multiline)]
    private static partial Regex Code();
}
