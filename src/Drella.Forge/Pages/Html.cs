using System.Net;
using System.Text;
using Markdig;

namespace Drella.Forge.Pages;

/// <summary>Markup with every value escaped: an interpolated hole is text unless it is itself <see cref="Html"/>.</summary>
internal sealed record Html(string Markup)
{
    private static readonly MarkdownPipeline Pipeline = new MarkdownPipelineBuilder().DisableHtml().UsePipeTables().UseTaskLists().Build();

    public static Html Of(FormattableString template) =>
        new(string.Format(System.Globalization.CultureInfo.InvariantCulture, template.Format, [.. template.GetArguments().Select(Escape)]));

    public static Html Join(IEnumerable<Html> parts) => new(string.Concat(parts.Select(p => p.Markup)));

    /// <summary>Markdown of a stranger: no raw HTML, and only http(s) links and no pictures from elsewhere survive the page's policy.</summary>
    public static Html Markdown(string? text)
    {
        if (string.IsNullOrWhiteSpace(text))
        {
            return Of($"<p><em>No description.</em></p>");
        }

        var document = Markdig.Markdown.Parse(text.Length > 100_000 ? text[..100_000] : text, Pipeline);
        foreach (var link in Markdig.Syntax.MarkdownObjectExtensions.Descendants<Markdig.Syntax.Inlines.LinkInline>(document))
        {
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
            lines.Append("<span class=\"").Append(kind).Append("\">").Append(WebUtility.HtmlEncode(line)).Append("\n</span>");
        }

        return new Html(lines.Append("</pre>").ToString());
    }

    private static object Escape(object? value) => value switch
    {
        Html html => html.Markup,
        null => "",
        _ => WebUtility.HtmlEncode(Convert.ToString(value, System.Globalization.CultureInfo.InvariantCulture) ?? ""),
    };
}
