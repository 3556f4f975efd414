using System;
using System.Collections.Generic;

namespace Tally;

/// <summary>How often each word occurs.</summary>
public static class WordCount
{
    /// <summary>Counts what stands between spaces.</summary>
    public static IReadOnlyDictionary<string, int> Of(string text)
    {
        var counts = new Dictionary<string, int>();
        foreach (var word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        return counts;
    }
}
