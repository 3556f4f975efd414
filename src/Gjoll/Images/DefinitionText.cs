using YamlDotNet.Core;
using YamlDotNet.Core.Events;
using YamlDotNet.RepresentationModel;

namespace Gjoll.Images;

/// <summary>From text to the one table that a definition is: anchors, tags, deep nesting and second documents are refused.</summary>
internal static class DefinitionText
{
    private const int MaxDepth = 12;

    /// <summary>Null when there is nothing to read; the errors then say why.</summary>
    public static DefinitionTable? Parse(string text, string place, List<DefinitionError> errors)
    {
        try
        {
            RefuseTricks(text, place, errors);
            if (errors.Count > 0)
            {
                return null;
            }

            var yaml = new YamlStream();
            yaml.Load(new StringReader(text));
            if (yaml.Documents.Count == 1)
            {
                return new DefinitionTable(place, yaml.Documents[0].RootNode, errors);
            }

            errors.Add(new DefinitionError(1, $"{Capital(place)} must be one YAML document."));
        }
        catch (YamlException broken)
        {
            errors.Add(new DefinitionError(broken.Start.Line, $"This is not YAML: {(broken.InnerException ?? broken).Message}"));
        }
        catch (InvalidOperationException)
        {
            // What its scanner throws at some texts, such as a list that is never closed. It knows no line then.
            errors.Add(new DefinitionError(1, "This is not YAML: a bracket, brace or quotation mark may lack its partner."));
        }

        return null;
    }

    /// <summary>By events, before anything is built from them: an anchor can make a small file endless.</summary>
    private static void RefuseTricks(string text, string place, List<DefinitionError> errors)
    {
        var parser = new Parser(new StringReader(text));
        var depth = 0;
        while (parser.MoveNext())
        {
            depth += parser.Current!.NestingIncrease;
            if (depth > MaxDepth + 2)
            {
                errors.Add(new DefinitionError(parser.Current.Start.Line, $"{Capital(place)} is nested too deeply."));
                return;
            }

            if (parser.Current is AnchorAlias || (parser.Current is NodeEvent { Anchor.IsEmpty: false }))
            {
                errors.Add(new DefinitionError(parser.Current.Start.Line, "Anchors and aliases are not allowed."));
            }
            else if (parser.Current is NodeEvent { Tag.IsEmpty: false })
            {
                errors.Add(new DefinitionError(parser.Current.Start.Line, "Tags are not allowed."));
            }
        }
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
