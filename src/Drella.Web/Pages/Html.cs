using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Drella.Web.Pages;

/// <summary>
/// Builds pages. Everything put in by interpolation is encoded, and characters that would not be seen or would turn text around are shown
/// by their code; only <see cref="Raw"/> passes markup, and it is given markup of ours alone.
/// </summary>
internal sealed class Html
{
    private const int MaxShown = 6000;

    private readonly StringBuilder text = new();

    /// <summary>Markup of ours with encoded values in its holes.</summary>
    public Html Add(FormattableString markup)
    {
        text.AppendFormat(Encoder.Instance, markup.Format, markup.GetArguments());
        return this;
    }

    public Html Raw(string markup)
    {
        text.Append(markup);
        return this;
    }

    public override string ToString() => text.ToString();

    /// <summary>Text as it may stand in a page or an attribute in quotes.</summary>
    public static string Encode(string value)
    {
        var seen = new StringBuilder(value.Length);
        foreach (var rune in value.EnumerateRunes())
        {
            seen.Append(IsHidden(rune) ? $"[U+{rune.Value:X4}]" : rune.ToString());
        }

        return HtmlEncoder.Default.Encode(seen.ToString());
    }

    /// <summary>So much of a text as a page shows.</summary>
    public static string Cut(string value) => value.Length <= MaxShown ? value : value[..MaxShown] + "… (cut; the API has it all)";

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control => rune.Value is not ('\n' or '\t'),
        UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
        _ => rune.Value is 0x3164 or 0xFFA0 or 0x115F or 0x1160 or (>= 0xE0000 and <= 0xE0FFF),
    };

    private sealed class Encoder : IFormatProvider, ICustomFormatter
    {
        public static readonly Encoder Instance = new();

        public object? GetFormat(Type? formatType) => formatType == typeof(ICustomFormatter) ? this : null;

        public string Format(string? format, object? arg, IFormatProvider? formatProvider) => arg switch
        {
            Html markup => markup.ToString(),
            null => "",
            IFormattable value => Encode(value.ToString(format, CultureInfo.InvariantCulture)),
            _ => Encode(arg.ToString() ?? ""),
        };
    }
}
