using System.Globalization;
using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Markdig;

namespace Drella.Forge.Pages;

/// <summary>Markup with every value escaped: an interpolated hole is text unless it is itself <see cref="Html"/>.</summary>
internal sealed partial record Html(string Markup)
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().DisableHtml().UsePipeTables().UseTaskLists().Build();

    public static Html Of(FormattableString template) =>
        new(string.Format(CultureInfo.InvariantCulture, template.Format, [.. template.GetArguments().Select(Escape)]));

    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(p => p.Markup)));

    /// <summary>Markdown of a stranger: no raw HTML, and only http(s) links and no pictures from elsewhere survive the page's policy.</summary>
    public static Html Markdown(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Of($"<p><em>No description.</em></p>");
        }

        var document = Markdig.Markdown.Parse(Quiet().Replace(Visible(text.Length > 100_000 ? text[..100_000] : text), "$1"), Pipeline);
        foreach (var link in Markdig.Syntax.MarkdownObjectExtensions.Descendants<Markdig.Syntax.Inlines.LinkInline>(document))
        {
            // The page's policy loads no picture from anywhere: a link says where it would be.
            link.IsImage = false;
            if (!Uri.TryCreate(link.Url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https"))
            {
                link.Url = "#";
            }
        }

        return new Html(document.ToHtml(Pipeline));
    }

    public static Html Diff(string? patch)
    {
        var lines = new StringBuilder("<pre>");
        foreach (var line in (patch ?? "Binary file or too large to show").Split('\n'))
        {
            var kind = line.Length == 0 ? "same" : line[0] switch { '+' => "add", '-' => "del", '@' => "hunk", _ => "same" };
            lines.Append("<span class=\"").Append(kind).Append("\">").Append(WebUtility.HtmlEncode(Visible(line))).Append("\n</span>");
        }

        return new Html(lines.Append("</pre>").ToString());
    }

    /// <summary>The factory's own markers, which are for machines, and the tags around its small print: a line of each kind that is nothing else.</summary>
    [GeneratedRegex("^(?:<!-- drella:[A-Za-z0-9:/._-]+ -->|<sub>(.*)</sub>)\\r?$", RegexOptions.Multiline | RegexOptions.CultureInvariant, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Quiet();

    private static object Escape(object? value) => value switch
    {
        Html html => html.Markup,
        null => "",
        _ => WebUtility.HtmlEncode(Visible(Convert.ToString(value, CultureInfo.InvariantCulture) ?? "")),
    };

    /// <summary>Characters that are not seen or turn text around are shown by their code: a reviewer reads what the compiler reads.</summary>
    private static string Visible(string text)
    {
        if (!text.EnumerateRunes().Any(IsHidden))
        {
            return text;
        }

        var seen = new StringBuilder(text.Length);
        foreach (var rune in text.EnumerateRunes())
        {
            seen.Append(IsHidden(rune) ? $"[U+{rune.Value:X4}]" : rune.ToString());
        }

        return seen.ToString();
    }

    private static bool IsHidden(Rune rune) => Rune.GetUnicodeCategory(rune) switch
    {
        UnicodeCategory.Control => rune.Value is not ('\n' or '\r' or '\t'),
        UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator => true,
        _ => false,
    };
}
