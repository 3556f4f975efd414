using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Drella.Core.PullRequests;

/// <summary>What a path may be, whatever the spec says.</summary>
internal static partial class PathRules
{
    private const int MaxShown = 200;
    private static readonly SearchValues<char> Unportable = SearchValues.Create("<>:\"|?*");

    private static readonly HashSet<string> TextEndings = new(StringComparer.OrdinalIgnoreCase)
    {
        "", ".txt", ".md", ".rst", ".cs", ".csproj", ".props", ".targets", ".sln", ".slnx", ".fs", ".vb", ".js", ".mjs", ".cjs", ".ts", ".tsx", ".jsx", ".json", ".jsonc",
        ".yml", ".yaml", ".toml", ".ini", ".cfg", ".conf", ".env", ".sh", ".bash", ".ps1", ".bat", ".cmd", ".py", ".rb", ".go", ".rs", ".java", ".kt", ".swift", ".c", ".h",
        ".cc", ".cpp", ".hpp", ".php", ".pl", ".lua", ".sql", ".html", ".htm", ".css", ".scss", ".svg", ".xml", ".csv", ".tf", ".tfvars", ".gradle", ".properties", ".lock", ".pem", ".key",
    };

    /// <summary>Why the path is refused, or null.</summary>
    public static string? Fault(ChangedFile file, int maxLength)
    {
        var path = file.Path;
        if (!file.PathIsValid)
        {
            return "The path is not valid UTF-8. Rename the file.";
        }

        if (path.Length == 0 || path.Length > maxLength)
        {
            return $"The path is longer than {maxLength} characters. Use a shorter one.";
        }

        if (path.EnumerateRunes().Any(r => Rune.GetUnicodeCategory(r) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
            or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.Surrogate))
        {
            return "The path has control or invisible characters. Rename the file.";
        }

        if (path.Contains('\\', StringComparison.Ordinal) || path.StartsWith('/') || path.StartsWith('-'))
        {
            return "The path has a backslash, or begins with '/' or '-'. Rename the file.";
        }

        foreach (var name in path.Split('/'))
        {
            var folded = PathPattern.Fold(name);
            if (folded is "" or ".git" || name is "." or "..")
            {
                return "The path has a part that Git or a file system takes for something else ('.git', '.', '..'). Rename it.";
            }

            if (ShortName().IsMatch(folded) || Reserved().IsMatch(folded) || name.EndsWith('.') || name.EndsWith(' ') || name.AsSpan().IndexOfAny(Unportable) >= 0)
            {
                return "A part of the path cannot stand on every system (short names such as 'git~1', reserved names, trailing dots, '<>:\"|?*'). Rename it.";
            }
        }

        return null;
    }

    /// <summary>True when a link at the path would lead out of the tree, into <c>.git</c>, or cannot be understood.</summary>
    public static bool LeavesTree(string path, string target)
    {
        if (target.Length == 0 || target[0] is '/' or '\\' or '~' || target.AsSpan().IndexOfAny('\0', '\\', ':') >= 0)
        {
            return true;
        }

        var depth = path.Count(c => c == '/');
        foreach (var part in target.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            depth += part switch
            {
                "." => 0,
                ".." => -1,
                _ => 1,
            };
            if (depth < 0 || PathPattern.Fold(part) == ".git")
            {
                return true;
            }
        }

        return false;
    }

    public static bool IsTextName(string path)
    {
        var name = path[(path.LastIndexOf('/') + 1)..];
        var dot = name.LastIndexOf('.');
        return TextEndings.Contains(dot < 0 ? "" : name[dot..]);
    }

    /// <summary>The path as it can be shown anywhere: what is not visible is written as its number.</summary>
    public static string Printable(string path)
    {
        var shown = new StringBuilder();
        foreach (var rune in path.EnumerateRunes())
        {
            if (shown.Length > MaxShown)
            {
                return shown.Append('…').ToString();
            }

            _ = Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
                or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
                ? shown.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:x}}}")
                : shown.Append(rune);
        }

        return shown.ToString();
    }

    // git~1, gitmod~1, GI7EBA~1, CODEOW~1: the 8.3 names that NTFS gives to longer ones.
    [GeneratedRegex(@"^[^.]{1,7}~\d{1,6}(?:\.[^.]{0,3})?$", RegexOptions.CultureInvariant)]
    private static partial Regex ShortName();

    [GeneratedRegex(@"^(?:con|prn|aux|nul|com[0-9]|lpt[0-9]|conin\$|conout\$)(?:\..*)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Reserved();
}
