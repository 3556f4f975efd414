using System.Text.RegularExpressions;

namespace Drella.Core.Specs;

/// <summary>The fields of a header while they are read; collects what is wrong with them.</summary>
internal sealed class Header(IReadOnlyList<FrontMatter.Field> fields, List<Problem> problems)
{
    public void RefuseUnknown(IReadOnlyList<string> known)
    {
        foreach (var field in fields.Where(field => !known.Contains(field.Key)))
        {
            var close = known.MinBy(key => Distance(key, field.Key))!;
            problems.Add(new Problem(
                field.Line,
                $"'{SpecParser.Shown(field.Key)}' is not a key of this header",
                Distance(close, field.Key) <= 3 ? $"did you mean '{close}'?" : $"the keys are {string.Join(", ", known)}"));
        }
    }

    /// <summary>The single value of a key; null when it is absent or empty.</summary>
    public string? Text(string key)
    {
        var field = Find(key);
        if (field is { IsList: true })
        {
            Wrong(key, $"'{key}' takes one value, not a list", null);
            return null;
        }

        return string.IsNullOrWhiteSpace(field?.Values[0]) ? null : field.Values[0].Trim();
    }

    public string? Name(string key, Regex form, string what)
    {
        var text = Text(key);
        if (text is not null && !form.IsMatch(text))
        {
            Wrong(key, $"'{SpecParser.Shown(text)}' is not {what}", null);
        }

        return text;
    }

    public IReadOnlyList<string> List(string key, Regex form, string what)
    {
        var items = Find(key)?.Values.Select(value => value.Trim()).Where(value => value.Length > 0).ToList() ?? [];
        foreach (var item in items.Where(item => !form.IsMatch(item)))
        {
            Wrong(key, $"'{SpecParser.Shown(item)}' is not of the form: {what}", null);
        }

        return items;
    }

    public void Wrong(string key, string what, string? suggestion) =>
        problems.Add(new Problem(Find(key)?.Line ?? 1, what, suggestion));

    private FrontMatter.Field? Find(string key) => fields.FirstOrDefault(field => field.Key == key);

    // Levenshtein; keys are short.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var diagonal = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j] + 1, row[j - 1] + 1), diagonal + (left[i - 1] == right[j - 1] ? 0 : 1));
                diagonal = above;
            }
        }

        return row[^1];
    }
}
