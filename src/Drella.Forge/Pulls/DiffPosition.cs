using System.Globalization;
using System.Text.RegularExpressions;
using Drella.Forge.Git;

namespace Drella.Forge.Pulls;

/// <summary>A line of a file's diff: its place counted from the first hunk, its numbers on both sides, and the hunk up to it.</summary>
internal sealed record DiffPosition(int Position, int? Left, int? Right, string Hunk)
{
    /// <summary>All lines that a comment may stand on.</summary>
    public static IReadOnlyList<DiffPosition> Of(DiffFile file)
    {
        var result = new List<DiffPosition>();
        var (left, right, position) = (0, 0, -1);
        var hunk = new List<string>();
        foreach (var line in (file.Patch ?? "").Split('\n'))
        {
            position++;
            if (line.StartsWith("@@ ", StringComparison.Ordinal))
            {
                var numbers = Regex.Match(line, "^@@ -(\\d+)(?:,\\d+)? \\+(\\d+)", RegexOptions.None, TimeSpan.FromSeconds(1));
                left = int.Parse(numbers.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
                right = int.Parse(numbers.Groups[2].ValueSpan, CultureInfo.InvariantCulture);
                hunk = [line];
                continue;
            }

            hunk.Add(line);
            var kind = line.Length > 0 ? line[0] : ' ';
            if (kind is ' ' or '+' or '-')
            {
                result.Add(new DiffPosition(position, kind == '+' ? null : left, kind == '-' ? null : right, string.Join('\n', hunk)));
                left += kind == '+' ? 0 : 1;
                right += kind == '-' ? 0 : 1;
            }
        }

        return result;
    }
}
