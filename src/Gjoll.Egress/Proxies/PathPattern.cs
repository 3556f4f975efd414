namespace Gjoll.Egress.Proxies;

/// <summary>Which paths a rule means. Compared with paths that <see cref="RequestTarget"/> let through, as they were sent.</summary>
internal sealed class PathPattern
{
    private readonly string[] segments;
    private readonly bool isTree;

    private PathPattern(string[] segments, bool isTree) => (this.segments, this.isTree) = (segments, isTree);

    /// <summary>Reads a pattern, or says what is wrong with it.</summary>
    public static PathPattern? Parse(string? text, out string? problem)
    {
        problem = null;
        if (text is null || text.Length == 0 || text[0] != '/')
        {
            problem = "does not begin with '/'";
            return null;
        }

        var isTree = text.EndsWith("/**", StringComparison.Ordinal);
        var rest = isTree ? text[..^3] : text;
        if (rest.Contains("**", StringComparison.Ordinal))
        {
            problem = "has '**' elsewhere than at its end after '/'";
            return null;
        }

        // A pattern is a path with stars, and a star is a character of paths.
        if (rest.Length > 0 && RequestTarget.Read(rest, out var refusal) is not { Query: null })
        {
            problem = refusal is null ? "has a query" : "is not a plain path";
            return null;
        }

        return new PathPattern(rest.Length == 0 ? [] : rest[1..].Split('/'), isTree);
    }

    public bool Matches(string path)
    {
        var asked = path[1..].Split('/');
        if (isTree ? asked.Length <= segments.Length : asked.Length != segments.Length)
        {
            return false;
        }

        for (var i = 0; i < segments.Length; i++)
        {
            if (!IsLike(asked[i], segments[i]))
            {
                return false;
            }
        }

        return true;
    }

    // Remembers only the last star: no text makes it slower than the product of the lengths.
    private static bool IsLike(string text, string pattern)
    {
        var (at, p, star, mark) = (0, 0, -1, 0);
        while (at < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                (star, mark) = (p++, at);
            }
            else if (p < pattern.Length && pattern[p] == text[at])
            {
                p++;
                at++;
            }
            else if (star >= 0)
            {
                (p, at) = (star + 1, ++mark);
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).TrimStart('*').IsEmpty && (text.Length > 0 || pattern.Length == 0);
    }
}
