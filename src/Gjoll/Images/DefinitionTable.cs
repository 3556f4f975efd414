using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Gjoll.Images;

/// <summary>
/// One mapping of a definition. Each key is asked for by its name; <see cref="Done"/> then refuses all that nobody asked for. What is wrong goes to the
/// list, and a harmless value comes back, so that the reader goes on and finds the rest.
/// </summary>
internal sealed class DefinitionTable
{
    private readonly string _place;
    private readonly List<DefinitionError> _errors;
    private readonly Dictionary<string, YamlNode> _values = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _lines = new(StringComparer.Ordinal);
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);

    public DefinitionTable(string place, YamlNode node, List<DefinitionError> errors)
    {
        _place = place;
        _errors = errors;
        Line = node.Start.Line;
        if (node is not YamlMappingNode mapping)
        {
            Fault(Line, $"{place} must be a table of keys and values.");
            return;
        }

        foreach (var (key, value) in mapping.Children)
        {
            if (key is YamlScalarNode { Value: { } name })
            {
                _values[name] = value;
                _lines[name] = key.Start.Line;
            }
            else
            {
                Fault(key.Start.Line, $"{place} has a key that is not a word.");
            }
        }
    }

    public long Line { get; }

    public IEnumerable<string> Keys => _values.Keys;

    public bool Has(string key)
    {
        _known.Add(key);
        return _values.ContainsKey(key);
    }

    public long LineOf(string key) => _lines.GetValueOrDefault(key, Line);

    public void Fault(long line, string text) => _errors.Add(new DefinitionError(line, text));

    public string Text(string key, string? fallback = null)
    {
        if (!Has(key))
        {
            if (fallback is null)
            {
                Fault(Line, $"{_place} lacks the key '{key}'.");
            }

            return fallback ?? "";
        }

        return Scalar(_values[key], $"'{key}' in {_place}");
    }

    public string? OptionalText(string key) => Has(key) ? Text(key) : null;

    public bool Flag(string key)
    {
        var text = Text(key, "false");
        if (text is not ("true" or "false" or ""))
        {
            Fault(LineOf(key), $"'{key}' in {_place} is '{text}'; it must be true or false.");
        }

        return text == "true";
    }

    public int Number(string key, int smallest, int largest)
    {
        var text = Text(key);
        if (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= smallest && number <= largest)
        {
            return number;
        }

        if (text.Length > 0)
        {
            Fault(LineOf(key), $"'{key}' in {_place} is '{text}'; it must be a number from {smallest} to {largest}.");
        }

        return smallest;
    }

    /// <summary>A list of texts; a single text is a list of one.</summary>
    public IReadOnlyList<string> Texts(string key, bool required = false)
    {
        if (!Has(key))
        {
            if (required)
            {
                Fault(Line, $"{_place} lacks the key '{key}'.");
            }

            return [];
        }

        return _values[key] switch
        {
            YamlSequenceNode list => [.. list.Children.Select(node => Scalar(node, $"an entry of '{key}' in {_place}"))],
            var single => [Scalar(single, $"'{key}' in {_place}")],
        };
    }

    public IReadOnlyDictionary<string, string> Pairs(string key)
    {
        var table = Table(key);
        return table is null ? new Dictionary<string, string>() : table.Keys.ToDictionary(name => name, name => table.Text(name), StringComparer.Ordinal);
    }

    /// <summary>Null when the key is absent.</summary>
    public DefinitionTable? Table(string key) => Has(key) ? new DefinitionTable($"'{key}'", _values[key], _errors) : null;

    public IReadOnlyList<DefinitionTable> Tables(string key)
    {
        if (!Has(key))
        {
            return [];
        }

        if (_values[key] is YamlSequenceNode list)
        {
            return [.. list.Children.Select(node => new DefinitionTable($"an entry of '{key}'", node, _errors))];
        }

        Fault(LineOf(key), $"'{key}' in {_place} must be a list.");
        return [];
    }

    public void Done()
    {
        foreach (var key in _values.Keys.Where(key => !_known.Contains(key)))
        {
            Fault(LineOf(key), $"{_place} has no key '{key}'; {Suggestion.For(key, _known)}.");
        }
    }

    private string Scalar(YamlNode node, string what)
    {
        if (node is YamlScalarNode { Value: { Length: > 0 } value } scalar && (scalar.Style != ScalarStyle.Plain || value is not ("~" or "null")))
        {
            return value;
        }

        Fault(node.Start.Line, $"{what} must be a text that is not empty.");
        return "";
    }
}
