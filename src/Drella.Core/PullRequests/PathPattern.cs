namespace Drella.Core.PullRequests;

/// <summary>Path patterns, matched as the most careless file system would: without regard to case, hidden characters or trailing dots.</summary>
internal static class PathPattern
{
    public static bool IsMatch(string pattern, string path) =>
        IsMatch(pattern.Split('/'), path.Split('/').Select(Fold).ToArray());

    /// <summary>
    /// A name as NTFS or HFS+ would take it: <c>.GIT</c>, <c>.git.</c>, <c>.git::$INDEX_ALLOCATION</c>, <c>.g&#x200c;it</c> are all <c>.git</c>.
    /// </summary>
    public static string Fold(string name)
    {
        var visible = string.Concat(name.Where(c => !IsIgnored(c)));
        var colon = visible.IndexOf(':', StringComparison.Ordinal);
        return (colon >= 0 ? visible[..colon] : visible).TrimEnd('.', ' ').ToLowerInvariant();
    }

    public static bool IsIgnored(char c) => c is (>= '\u200b' and <= '\u200f') or (>= '\u202a' and <= '\u202e') or (>= '\u2060' and <= '\u206f') or '\ufeff' or '\u00ad';

    private static bool IsMatch(ReadOnlySpan<string> pattern, ReadOnlySpan<string> path)
    {
        if (pattern.IsEmpty)
        {
            return path.IsEmpty;
        }

        if (pattern[0] != "**")
        {
            return !path.IsEmpty && NameMatches(pattern[0].ToLowerInvariant(), path[0]) && IsMatch(pattern[1..], path[1..]);
        }

        // "a/**" is what lies in a, and a itself when it is a file or a link.
        for (var skip = 0; skip <= path.Length; skip++)
        {
            if (IsMatch(pattern[1..], path[skip..]))
            {
                return true;
            }
        }

        return false;
    }

    private static bool NameMatches(string pattern, string name)
    {
        var parts = pattern.Split('*');
        if (parts.Length == 1)
        {
            return pattern == name;
        }

        if (!name.StartsWith(parts[0], StringComparison.Ordinal) || name.Length < parts[0].Length + parts[^1].Length || !name.EndsWith(parts[^1], StringComparison.Ordinal))
        {
            return false;
        }

        var at = parts[0].Length;
        foreach (var part in parts[1..^1])
        {
            var found = name.IndexOf(part, at, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            at = found + part.Length;
        }

        return at <= name.Length - parts[^1].Length;
    }
}
