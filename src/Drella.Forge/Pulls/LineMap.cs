using System.Globalization;
using System.Text.RegularExpressions;

namespace Drella.Forge.Pulls;

/// <summary>Where a line of the old file stands in the new one, read from a diff without context.</summary>
internal sealed partial class LineMap
{
    private readonly List<(int OldStart, int OldCount, int NewStart, int NewCount)> _hunks = [];

    public static LineMap Parse(string diff)
    {
        var map = new LineMap();
        foreach (Match match in Hunk().Matches(diff))
        {
            int Number(int group, int missing) =>
                match.Groups[group].Success ? int.Parse(match.Groups[group].Value, CultureInfo.InvariantCulture) : missing;
            map._hunks.Add((Number(1, 0), Number(2, 1), Number(3, 0), Number(4, 1)));
        }

        return map;
    }

    /// <summary>The new number of the line; null when it was changed or removed.</summary>
    public int? Map(int line)
    {
        var shift = 0;
        foreach (var (oldStart, oldCount, _, newCount) in _hunks)
        {
            // A hunk that only inserts (count 0) stands after its start line.
            if (line < oldStart || (oldCount == 0 && line <= oldStart))
            {
                break;
            }

            if (line < oldStart + oldCount)
            {
                return null;
            }

            shift += newCount - oldCount;
        }

        return line + shift;
    }

    [GeneratedRegex("^@@ -(\\d+)(?:,(\\d+))? \\+(\\d+)(?:,(\\d+))? @@", RegexOptions.CultureInvariant | RegexOptions.Multiline, 1000)]
    private static partial Regex Hunk();
}
