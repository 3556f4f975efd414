using System.Text;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Drella.Core.Specs;

/// <summary>
/// The strict header of specs and roles: <c>---</c>, a flat YAML mapping, <c>---</c>, then the body. Values are scalars or lists of scalars;
/// anchors, aliases, tags and nesting are refused, so that a header costs what its length says. Grammar in <c>docs/formats/spec.md</c>.
/// </summary>
internal static class FrontMatter
{
    public const int MaxHeaderBytes = 16 * 1024;
    private const string Fence = "---";

    /// <summary>Splits and reads. The body keeps its line numbers through <see cref="Parsed.BodyLine"/>.</summary>
    public static Parsed Read(ReadOnlySpan<byte> bytes, int maxBytes)
    {
        var problems = new List<Problem>();
        if (bytes.Length > maxBytes)
        {
            problems.Add(new Problem(1, $"the file has {bytes.Length:N0} bytes; at most {maxBytes:N0} are read", "say it in fewer words, or link to the material"));
            return new Parsed([], "", 1, problems);
        }

        string text;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException error)
        {
            var line = 1 + bytes[..Math.Max(0, error.Index)].Count((byte)'\n');
            problems.Add(new Problem(line, "the file is not UTF-8", "save it as UTF-8"));
            return new Parsed([], "", 1, problems);
        }

        var lines = text.TrimStart('\uFEFF').Replace("\r\n", "\n", StringComparison.Ordinal).Split('\n');
        if (lines[0].TrimEnd() != Fence)
        {
            return new Parsed([], string.Join('\n', lines), 1, problems);
        }

        var end = Array.FindIndex(lines, 1, line => line.TrimEnd() == Fence);
        if (end < 0)
        {
            problems.Add(new Problem(1, "the header begins with --- and has no closing ---", "close the header with a line that is only ---"));
            return new Parsed([], "", 1, problems);
        }

        var header = string.Join('\n', lines[1..end]);
        if (header.Length > MaxHeaderBytes)
        {
            problems.Add(new Problem(1, $"the header has more than {MaxHeaderBytes:N0} characters", "move text into the body"));
            return new Parsed([], "", 1, problems);
        }

        // YAML takes such lines for blank ones in places.
        var tab = Array.FindIndex(lines, 1, end - 1, line => line.StartsWith('\t'));
        if (tab > 0)
        {
            problems.Add(new Problem(tab + 1, "the line begins with a tab", "write it without"));
            return new Parsed([], "", 1, problems);
        }

        var fields = ReadMapping(header, problems);
        return new Parsed(fields, string.Join('\n', lines[(end + 1)..]), end + 2, problems);
    }

    private static List<Field> ReadMapping(string header, List<Problem> problems)
    {
        var fields = new List<Field>();
        try
        {
            var parser = new Parser(new StringReader(header));
            parser.Consume<StreamStart>();
            if (!parser.TryConsume<DocumentStart>(out _))
            {
                return fields;
            }

            if (!parser.TryConsume<MappingStart>(out var start))
            {
                problems.Add(new Problem(2, "the header is not a list of 'key: value' lines", null));
                return fields;
            }

            Refuse(start);
            while (!parser.TryConsume<MappingEnd>(out _))
            {
                var key = parser.Consume<Scalar>();
                Refuse(key);
                fields.Add(ReadField(parser, key));
            }

            // What stands behind the end of the mapping would be dropped without a word.
            if (!parser.TryConsume<DocumentEnd>(out var ending) || !ending.IsImplicit || !parser.TryConsume<StreamEnd>(out _))
            {
                problems.Add(new Problem((int)(parser.Current ?? start).Start.Line + 1, "the header goes on behind its end", "keep to one list of 'key: value' lines"));
            }
        }
        catch (YamlException error)
        {
            problems.Add(new Problem((int)error.Start.Line + 1, "the header is not plain YAML: " + FirstLine(error.InnerException?.Message ?? error.Message), null));
        }
        catch (Exception error) when (error is InvalidOperationException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            // The library's own slips on text that was made to find them: no fault of the factory, and no reason to stop looking at orders.
            problems.Add(new Problem(2, "the header is not plain YAML", null));
        }

        foreach (var again in fields.GroupBy(field => field.Key, StringComparer.Ordinal).Where(group => group.Count() > 1))
        {
            problems.Add(new Problem(again.Last().Line, $"'{again.Key}' stands twice in the header", "keep one of them"));
        }

        return fields;
    }

    private static Field ReadField(Parser parser, Scalar key)
    {
        // Line 1 is the opening fence, so that a mark on line n of the header is line n + 1 of the file.
        var line = (int)key.Start.Line + 1;
        if (parser.TryConsume<Scalar>(out var scalar))
        {
            Refuse(scalar);
            return new Field(key.Value, line, [scalar.Value], IsList: false);
        }

        if (parser.TryConsume<SequenceStart>(out var sequence))
        {
            Refuse(sequence);
            var items = new List<string>();
            while (!parser.TryConsume<SequenceEnd>(out _))
            {
                var item = parser.Consume<Scalar>();
                Refuse(item);
                items.Add(item.Value);
            }

            return new Field(key.Value, line, items, IsList: true);
        }

        throw new YamlException(key.Start, key.End, $"'{key.Value}' must be one value or a list of values, not nested and not an alias");
    }

    private static void Refuse(NodeEvent node)
    {
        if (!node.Anchor.IsEmpty || (!node.Tag.IsEmpty && !node.Tag.IsNonSpecific))
        {
            throw new YamlException(node.Start, node.End, "anchors and tags are not part of the header's grammar");
        }
    }

    private static string FirstLine(string message) => message.Split('\n')[0];

    /// <summary>One key of the header.</summary>
    internal sealed record Field(string Key, int Line, IReadOnlyList<string> Values, bool IsList);

    internal sealed record Parsed(IReadOnlyList<Field> Fields, string Body, int BodyLine, IReadOnlyList<Problem> Problems);
}

/// <summary>One thing wrong with a file that a person wrote.</summary>
/// <param name="Line">Line in the file, from 1.</param>
/// <param name="What">What is wrong.</param>
/// <param name="Suggestion">What to do; null when it is plain.</param>
public sealed record Problem(int Line, string What, string? Suggestion)
{
    public override string ToString() => Suggestion is null ? $"line {Line}: {What}" : $"line {Line}: {What}; {Suggestion}";
}
