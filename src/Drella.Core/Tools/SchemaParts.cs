namespace Drella.Core.Tools;

/// <summary>Pieces of schema that several tools share.</summary>
internal static class SchemaParts
{
    // One line: no control characters, no line or paragraph separators, nothing that turns the direction of text.
    private const string OneLinePattern = @"^[^\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069]*$";

    // Markdown: lines and tabs, but no other control characters and nothing that turns the direction of text.
    private const string ProsePattern = @"^[^\\u0000-\\u0008\\u000b\\u000c\\u000e-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069]*$";

    /// <summary>The job's own pull request, for those who like to say it.</summary>
    public const string OwnPr =
        """{"type":"integer","minimum":1,"description":"Number of this job's own pull request. May be left out; no other is accepted."}""";

    /// <summary>The job's own branch, for those who like to say it.</summary>
    public const string OwnBranch =
        """{"type":"string","maxLength":200,"pattern":"^[A-Za-z0-9][A-Za-z0-9._/-]*$","description":"This job's own branch. May be left out; no other is accepted."}""";

    // A segment is neither empty nor '.' nor '..'; the first does not begin with a hyphen.
    private const string Bad = @"\\u0000-\\u001f\\u007f-\\u009f\\u2028-\\u202e\\u2066-\\u2069/\\\\:";
    private const string Rest = $"[^{Bad}]*";
    private const string Dotted = $"[.][^{Bad}.]{Rest}|[.][.][^{Bad}]{Rest}";

    /// <summary>Path of a file in the repository, without leading slash or dot segments.</summary>
    public const string RepoPath =
        $$"""{"type":"string","minLength":1,"maxLength":400,"pattern":"^([^{{Bad}}.-]{{Rest}}|{{Dotted}})(/([^{{Bad}}.]{{Rest}}|{{Dotted}}))*$","description":"Path of the file from the root of the repository, such as src/app.py."}""";

    public const string LineNumber = """{"type":"integer","minimum":1,"maximum":10000000}""";

    public static string Line(int min, int max, string description) =>
        $$"""{"type":"string","minLength":{{min}},"maxLength":{{max}},"pattern":"{{OneLinePattern}}","description":"{{description}}"}""";

    public static string Prose(int min, int max, string description) =>
        $$"""{"type":"string","minLength":{{min}},"maxLength":{{max}},"pattern":"{{ProsePattern}}","description":"{{description}}"}""";
}
