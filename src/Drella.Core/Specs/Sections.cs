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
        var fence = "";
        var line = firstLine - 1;
        foreach (var text in body.Split('\n'))
        {
            line++;
            if (Fence().Match(text) is { Success: true } mark)
            {
                fence = Toggle(fence, mark.Groups[1].Value, mark.Groups[2].Value);
                continue;
            }

            if (fence.Length > 0)
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

    /// <summary>The fence that is open after a line with this mark. It is closed by nothing but at least as many of its own character, alone.</summary>
    private static string Toggle(string open, string mark, string info)
    {
        if (open.Length == 0)
        {
            return mark[0] == '`' && info.Contains('`', StringComparison.Ordinal) ? "" : mark;
        }

        return mark[0] == open[0] && mark.Length >= open.Length && string.IsNullOrWhiteSpace(info) ? "" : open;
    }

    [GeneratedRegex("^ {0,3}(`{3,}|~{3,})(.*)$")]
    private static partial Regex Fence();

    [GeneratedRegex(@"^(#{1,6})\s+(.*?)\s*#*\s*$")]
    private static partial Regex Heading();

    [GeneratedRegex(@"^(?:[-*+]|[0-9]{1,3}[.)])\s+(?:\[([ xX])\]\s+)?(\S.*)$")]
    private static partial Regex ListItem();

    internal sealed record Item(int Line, string Text, bool IsTicked);
}
