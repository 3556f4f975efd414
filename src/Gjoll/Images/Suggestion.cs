namespace Gjoll.Images;

/// <summary>What a writer may have meant.</summary>
internal static class Suggestion
{
    private const int Near = 3;

    public static string For(string word, IEnumerable<string> known)
    {
        var words = known.Order(StringComparer.Ordinal).ToList();
        var close = words.MinBy(other => Distance(word, other));
        return close is not null && Distance(word, close) <= Math.Min(Near, word.Length - 1)
            ? $"did you mean '{close}'?"
            : $"known are {string.Join(", ", words)}";
    }

    // Levenshtein, row by row; words of a definition are short.
    private static int Distance(string left, string right)
    {
        var row = Enumerable.Range(0, right.Length + 1).ToArray();
        for (var i = 1; i <= left.Length; i++)
        {
            var corner = row[0];
            row[0] = i;
            for (var j = 1; j <= right.Length; j++)
            {
                var above = row[j];
                row[j] = Math.Min(Math.Min(row[j], row[j - 1]) + 1, corner + (left[i - 1] == right[j - 1] ? 0 : 1));
                corner = above;
            }
        }

        return row[^1];
    }
}
