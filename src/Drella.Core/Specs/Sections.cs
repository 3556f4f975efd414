using System.Text.RegularExpressions;

namespace Drella.Core.Specs;

/// <summary>Finds the list items under a heading of a spec's body.</summary>
internal static partial class Sections
{
    /// <summary>
    /// Items of every list under a heading of that name, until the next heading of the same or a higher level. Fenced code is skipped.
    /// A list whose only item says "none" counts as empty.
    /// </summary>
    public static IReadOnlyList<Item> Items(string body, int firstLine, string heading)
    {
        var items = new List<Item>();
        var level = 0;
        var fenced = false;
        var line = firstLine - 1;
        foreach (var text in body.Split('\n'))
        {
            line++;
            if (text.StartsWith("```", StringComparison.Ordinal) || text.StartsWith("~~~", StringComparison.Ordinal))
            {
                fenced = !fenced;
            }

            if (fenced)
            {
                continue;
            }

            if (Heading().Match(text) is { Success: true } found)
            {
                var depth = found.Groups[1].Length;
                if (level == 0 || depth <= level)
                {
                    level = found.Groups[2].Value.Trim().TrimEnd(':').Equals(heading, StringComparison.OrdinalIgnoreCase) ? depth : 0;
                }
            }
            else if (level > 0 && ListItem().Match(text) is { Success: true } item)
            {
                items.Add(new Item(line, item.Groups[2].Value.Trim(), item.Groups[1].Value is "x" or "X"));
            }
        }

        return items is [{ Text: var only }] && only.TrimEnd('.').Equals("none", StringComparison.OrdinalIgnoreCase) ? [] : items;
    }

    [GeneratedRegex(@"^(#{1,6})\s+(.*?)\s*#*\s*$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^(?:[-*+]|[0-9]{1,3}[.)])\s+(?:\[([ xX])\]\s+)?(\S.*)$")]
    private static partial Regex ListItem();

    internal sealed record Item(int Line, string Text, bool IsTicked);
}
