using System.Text;

namespace Terminal.Common;

/// <summary>
/// Makes hostile text harmless for a terminal: escape sequences, C1 bytes and controls that turn or hide text are shown, not obeyed. Pure.
/// </summary>
public static class TerminalText
{
    /// <summary>The text with line ends and tabs kept and everything else that a terminal would act on made visible.</summary>
    public static string Show(string text)
    {
        var shown = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            shown.Append(rune.Value switch
            {
                '\n' or '\t' => rune.ToString(),
                '\r' => "",
                < 0x20 => "^" + (char)(rune.Value + 0x40),
                0x7F => "^?",
                (>= 0x80 and <= 0x9F) or (>= 0x200B and <= 0x200F) or (>= 0x202A and <= 0x202E) or (>= 0x2060 and <= 0x206F) or 0xFEFF or (>= 0xE0000 and <= 0xE007F) => $"<U+{rune.Value:X4}>",
                _ => rune.ToString(),
            });
        }

        return shown.ToString();
    }

    /// <summary>One line of at most <paramref name="width"/> characters.</summary>
    public static string Line(string text, int width)
    {
        var line = Show(text).ReplaceLineEndings(" ");
        return line.Length <= width ? line : line[..Math.Max(0, width - 1)] + "…";
    }
}
