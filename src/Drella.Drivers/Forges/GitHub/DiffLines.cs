using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>
/// Which lines can carry an inline comment. One comment outside the diff makes GitHub refuse the whole review, so strays are told in its body.
/// </summary>
internal static partial class DiffLines
{
    public sealed record Placed(IReadOnlyList<NewInlineComment> Inside, IReadOnlyList<NewInlineComment> Outside);

    public static Placed Split(IEnumerable<WireFile> files, IReadOnlyList<NewInlineComment> comments)
    {
        var lines = new Dictionary<string, HashSet<int>>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            lines[file.Filename ?? ""] = After(file.Patch);
        }

        var sides = comments.ToLookup(c => lines.TryGetValue(c.Path, out var shown) && shown.Contains(c.Line));
        return new Placed([.. sides[true]], [.. sides[false]]);
    }

    public static string WithStrays(string body, IReadOnlyList<NewInlineComment> strays)
    {
        if (strays.Count == 0)
        {
            return body;
        }

        var text = new StringBuilder(body).Append(body.Length == 0 ? "" : "\n\n").Append("On lines outside the diff:\n");
        foreach (var stray in strays)
        {
            text.Append(CultureInfo.InvariantCulture, $"\n- `{Plain.Line(stray.Path, 300).Replace('`', '\'')}:{stray.Line}`: ")
                .Append(stray.Body.ReplaceLineEndings("\n  "));
        }

        return text.ToString();
    }

    /// <summary>Lines of the file after the change that a patch shows: added ones and context.</summary>
    private static HashSet<int> After(string? patch)
    {
        var shown = new HashSet<int>();
        var next = 0;
        foreach (var line in (patch ?? "").Split('\n'))
        {
            // @@ -1,4 +1,6 @@ optional heading
            if (Hunk().Match(line) is { Success: true } hunk && int.TryParse(hunk.Groups[1].ValueSpan, CultureInfo.InvariantCulture, out var start))
            {
                next = start;
            }
            else if (next > 0 && line is ['+' or ' ', ..])
            {
                shown.Add(next++);
            }
        }

        return shown;
    }

    [GeneratedRegex(@"^@@ -[0-9]+(?:,[0-9]+)? \+([0-9]+)(?:,[0-9]+)? @@", RegexOptions.CultureInvariant)]
    private static partial Regex Hunk();
}
