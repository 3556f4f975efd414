using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace Drella.Drivers.Git;

/// <summary>Makes the message that is published from one that a guest wrote.</summary>
internal static partial class CommitMessage
{
    private const int MaxSubject = 200;
    private const int MaxBody = 16 << 10;
    private const string NoSubject = "Change without a message";

    public static string Clean(string message, IReadOnlyList<string> trailers)
    {
        var lines = Visible(message).Split('\n').Select(l => l.TrimEnd()).Where(l => !Trailer().IsMatch(l)).Select(l => Command().Replace(l, "$1: :"));
        var text = string.Join('\n', lines).Trim();
        var split = text.IndexOf('\n', StringComparison.Ordinal);
        var subject = split < 0 ? text : text[..split].TrimEnd();
        var body = split < 0 ? "" : BlankRun().Replace(text[(split + 1)..].Trim(), "\n\n");

        var result = new StringBuilder(subject.Length == 0 ? NoSubject : Cut(subject, MaxSubject));
        if (body.Length > 0)
        {
            result.Append("\n\n").Append(Cut(body, MaxBody));
        }

        if (trailers.Count > 0)
        {
            result.Append("\n\n").AppendJoin('\n', trailers);
        }

        return result.Append('\n').ToString();
    }

    /// <summary>The text without terminal sequences and without characters that hide or turn text.</summary>
    public static string Visible(string text)
    {
        var result = new StringBuilder(text.Length);
        foreach (var rune in TerminalSequence().Replace(text.ReplaceLineEndings("\n"), "").EnumerateRunes())
        {
            var category = Rune.GetUnicodeCategory(rune);
            if (rune.Value is '\n' or '\t' || (category is not (UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
                or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator) && rune.Value is not 0xfffd))
            {
                result.Append(rune);
            }
        }

        return result.ToString();
    }

    private static string Cut(string text, int most) =>
        text.Length <= most ? text : text[..(char.IsHighSurrogate(text[most - 1]) ? most - 1 : most)] + "…";

    // CSI, OSC (ended by BEL or ST), DCS and friends, two-character escapes; also in their 8-bit form.
    [GeneratedRegex(@"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|(?:\x1b[\]PX^_]|[\x9d\x90\x98\x9e\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -~]?", RegexOptions.CultureInvariant)]
    private static partial Regex TerminalSequence();

    // Whoever is named here is named by the host; the guest's word on it is not worth anything.
    [GeneratedRegex(@"^\s*(?:[a-z]+(?:-[a-z]+)*-by|cc|drella-[a-z-]+|change-id|gerrit-[a-z-]+|git-[a-z-]+|on-behalf-of)\s*:", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex Trailer();

    // ::set-output name=x::y is a command to some CI systems when a log prints it.
    [GeneratedRegex(@"^(\s*)::", RegexOptions.CultureInvariant)]
    private static partial Regex Command();

    [GeneratedRegex(@"\n{3,}", RegexOptions.CultureInvariant)]
    private static partial Regex BlankRun();
}
