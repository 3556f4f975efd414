using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Drella.Configuration;

/// <summary>
/// Looks at a document before it is built in memory: no depth that would exhaust the stack, no alias that would make it grow, one document only.
/// </summary>
internal static class YamlShape
{
    private const int MaxDepth = 16;

    /// <summary>What is wrong with the shape, or null. Throws <see cref="YamlException"/> for what is not YAML.</summary>
    public static ConfigProblem? Problem(string text)
    {
        // The parser takes NUL for the end: what stands behind it would silently not count.
        if (text.Contains('\0', StringComparison.Ordinal))
        {
            return new ConfigProblem("(file)", text.AsSpan(0, text.IndexOf('\0', StringComparison.Ordinal)).Count('\n') + 1, "holds a NUL character; save it as plain text");
        }

        var parser = new Parser(new StringReader(text));
        var depth = 0;
        var documents = 0;
        while (parser.MoveNext())
        {
            var here = parser.Current!;
            depth += here.NestingIncrease;
            documents += here is DocumentStart ? 1 : 0;
            var what = here switch
            {
                AnchorAlias => "uses an alias (*name), which is not read here; write the value out",
                _ when depth > MaxDepth => $"is nested deeper than {MaxDepth} levels",
                _ when documents > 1 => "holds more than one document ('---')",
                _ => null,
            };
            if (what is not null)
            {
                return new ConfigProblem("(file)", (int)here.Start.Line, what);
            }
        }

        return null;
    }
}
