using System.Globalization;
using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace Drella.Configuration;

/// <summary>One thing wrong with the configuration.</summary>
/// <param name="Key">Path of the key, such as <c>forge.kind</c>.</param>
/// <param name="Line">Line in the file; 0 when the key is absent.</param>
/// <param name="What">What is wrong and what to write instead.</param>
internal sealed record ConfigProblem(string Key, int Line, string What)
{
    public override string ToString() => Line == 0 ? $"{Key}: {What}" : $"line {Line}, {Key}: {What}";
}

/// <summary>Reads a mapping key by key, collecting what is wrong instead of stopping at it.</summary>
internal sealed class YamlReader(YamlMappingNode node, string path, List<ConfigProblem> problems)
{
    private readonly HashSet<string> asked = [];

    public static YamlReader Empty(List<ConfigProblem> problems) => new([], "", problems);

    /// <summary>True for what YAML writes as nothing: an empty value, <c>~</c> or <c>null</c>.</summary>
    public static bool IsNothing(YamlNode node) => node is YamlScalarNode { Style: ScalarStyle.Plain, Value: null or "" or "~" or "null" };

    public bool Has(string key) => Find(key) is not null;

    public string? Text(string key, params string[] allowed)
    {
        if (Find(key) is not { } found)
        {
            return null;
        }

        if (found is not YamlScalarNode { Value: { } value })
        {
            Wrong(key, "takes one value");
            return null;
        }

        if (allowed.Length > 0 && !allowed.Contains(value))
        {
            Wrong(key, $"'{value}' is not known; write one of {string.Join(", ", allowed)}");
            return null;
        }

        return value.Length == 0 ? null : value;
    }

    public T? Value<T>(string key, Func<string, T?> parse, string form)
        where T : struct
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        var value = parse(text);
        if (value is null)
        {
            Wrong(key, $"'{text}' is not {form}");
        }

        return value;
    }

    public int? Count(string key, int least, int most) => Value<int>(
        key, text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number >= least && number <= most ? number : null, $"a whole number from {least} to {most}");

    public decimal? Money(string key) => Value<decimal>(
        key, text => decimal.TryParse(text, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var amount) && amount is >= 0.01m and <= 1_000_000 ? amount : null, "an amount of US dollars from 0.01 to 1000000, such as 2.50");

    public bool? Flag(string key) => Value<bool>(key, text => text switch { "true" => true, "false" => false, _ => null }, "true or false");

    public TimeSpan? Time(string key) => Value(key, Units.Time, "a time such as 500ms, 30s, 10m, 2h or 7d");

    public long? Size(string key) => Value(key, Units.Size, "a size such as 512MiB or 4GiB");

    public IReadOnlyList<string>? Texts(string key)
    {
        if (Find(key) is not { } found)
        {
            return null;
        }

        if (found is not YamlSequenceNode list || list.Children.Any(child => child is not YamlScalarNode))
        {
            Wrong(key, "takes a list of values");
            return null;
        }

        return [.. list.Children.Cast<YamlScalarNode>().Select(child => child.Value ?? "")];
    }

    /// <summary>The mapping under a key; an empty one when it is absent.</summary>
    public YamlReader Section(string key)
    {
        var found = Find(key);
        if (found is not null and not YamlMappingNode)
        {
            Wrong(key, "takes keys of its own");
        }

        return new YamlReader(found as YamlMappingNode ?? [], Path(key), problems);
    }

    /// <summary>A list of mappings under a key.</summary>
    public IEnumerable<YamlReader> Sections(string key)
    {
        var found = Find(key);
        if (found is not null and not YamlSequenceNode)
        {
            Wrong(key, "takes a list");
        }

        var index = 0;
        foreach (var child in (found as YamlSequenceNode)?.Children ?? [])
        {
            var at = $"{Path(key)}[{index++}]";
            if (child is YamlMappingNode mapping)
            {
                yield return new YamlReader(mapping, at, problems);
            }
            else
            {
                problems.Add(new ConfigProblem(at, (int)child.Start.Line, "takes keys of its own"));
            }
        }
    }

    /// <summary>Every key of a mapping whose keys are the user's own names.</summary>
    public IReadOnlyList<string> Names()
    {
        var names = node.Children.Keys.OfType<YamlScalarNode>().Select(key => key.Value ?? "").ToList();
        asked.UnionWith(names);
        return names;
    }

    public void Wrong(string key, string what) => problems.Add(new ConfigProblem(Path(key), Line(key), what));

    /// <summary>Complains of every key that nobody asked for. Call last.</summary>
    public void RefuseUnknown()
    {
        foreach (var key in node.Children.Keys.OfType<YamlScalarNode>().Where(key => !asked.Contains(key.Value ?? "")))
        {
            problems.Add(new ConfigProblem(Path(key.Value ?? ""), (int)key.Start.Line, $"is not a key; there are {string.Join(", ", asked.Order(StringComparer.Ordinal))}"));
        }

        foreach (var key in node.Children.Keys.Where(key => key is not YamlScalarNode))
        {
            problems.Add(new ConfigProblem(path.Length == 0 ? "(file)" : path, (int)key.Start.Line, "holds a key that is not a plain word"));
        }
    }

    private YamlNode? Find(string key)
    {
        asked.Add(key);
        return node.Children.TryGetValue(new YamlScalarNode(key), out var found) && !IsNothing(found) ? found : null;
    }

    private int Line(string key) => node.Children.Keys.FirstOrDefault(known => known is YamlScalarNode scalar && scalar.Value == key) is { } found ? (int)found.Start.Line : 0;

    private string Path(string key) => path.Length == 0 ? key : $"{path}.{key}";
}
