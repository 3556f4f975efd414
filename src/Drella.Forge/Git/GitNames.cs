using System.Text.RegularExpressions;

namespace Drella.Forge.Git;

/// <summary>Which names may reach the file system or a Git command line. Everything else is refused before it gets there.</summary>
internal static partial class GitNames
{
    public const string ZeroId = "0000000000000000000000000000000000000000";

    public static bool IsOwner(string value) => OwnerPattern().IsMatch(value);

    /// <summary>GitHub's letters, digits, dot, dash and underscore; no leading dash or dot, none of the endings that mean something to Git.</summary>
    public static bool IsRepository(string value) =>
        RepositoryPattern().IsMatch(value)
        && !value.Contains("..", StringComparison.Ordinal)
        && !value.EndsWith(".git", StringComparison.OrdinalIgnoreCase)
        && !value.EndsWith(".wiki", StringComparison.OrdinalIgnoreCase)
        && !value.EndsWith(".lock", StringComparison.OrdinalIgnoreCase);

    public static bool IsObjectId(string? value) => value is not null && ObjectIdPattern().IsMatch(value);

    public static bool IsObjectIdPrefix(string value) => ObjectIdPrefixPattern().IsMatch(value);

    /// <summary>The rules of <c>git check-ref-format</c>, and no leading dash, on a name such as <c>heads/main</c> or <c>main</c>.</summary>
    public static bool IsRefPart(string? value)
    {
        if (string.IsNullOrEmpty(value) || value.Length > 244 || value[0] is '-' or '/' || value[^1] is '/' or '.' || value == "@"
            || value.Contains("..", StringComparison.Ordinal) || value.Contains("//", StringComparison.Ordinal)
            || value.Contains("@{", StringComparison.Ordinal))
        {
            return false;
        }

        foreach (var c in value)
        {
            if (c <= ' ' || c == 127 || c is '~' or '^' or ':' or '?' or '*' or '[' or '\\')
            {
                return false;
            }
        }

        return value.Split('/').All(part => part.Length > 0 && part[0] != '.' && !part.EndsWith(".lock", StringComparison.Ordinal));
    }

    /// <summary>A path inside a tree: relative, no empty, dot, dot-dot or <c>.git</c> segment, nothing a terminal or Git would read otherwise.</summary>
    public static bool IsTreePath(string value) =>
        value.Length is > 0 and <= 4000
        && !value.Any(c => c < ' ' || c == 127)
        && value.Split('/').All(part =>
            part.Length is > 0 and <= 255 && part is not ("." or "..") && !part.Equals(".git", StringComparison.OrdinalIgnoreCase));

    [GeneratedRegex("^[A-Za-z0-9](?:[A-Za-z0-9-]{0,38})(?:\\[bot\\])?\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex OwnerPattern();

    [GeneratedRegex("^[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex RepositoryPattern();

    [GeneratedRegex("^[0-9a-f]{40}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ObjectIdPattern();

    [GeneratedRegex("^[0-9a-f]{7,40}\\z", RegexOptions.CultureInvariant, 1000)]
    private static partial Regex ObjectIdPrefixPattern();
}
