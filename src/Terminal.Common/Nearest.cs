namespace Terminal.Common;

/// <summary>Finds the word that somebody probably meant. Pure.</summary>
public static class Nearest
{
    /// <summary>The closest known word: one that begins so, else the one with the fewest slips of the keyboard. Null when none is near.</summary>
    public static string? To(string word, IEnumerable<string> known)
    {
        var candidates = known.Order(StringComparer.Ordinal).ToList();
        return candidates.FirstOrDefault(candidate => word.Length > 1 && candidate.StartsWith(word, StringComparison.Ordinal))
            ?? candidates
                .Select(candidate => (candidate, slips: Slips(word, candidate)))
                .Where(pair => pair.slips <= Math.Max(1, Math.Min(word.Length, pair.candidate.Length) / 3))
                .OrderBy(pair => pair.slips)
                .Select(pair => pair.candidate)
                .FirstOrDefault();
    }

    // Letters left out, put in, mistaken or swapped with their neighbour.
    private static int Slips(string left, string right)
    {
        var table = new int[left.Length + 1, right.Length + 1];
        for (var row = 0; row <= left.Length; row++)
        {
            for (var column = 0; column <= right.Length; column++)
            {
                table[row, column] = (row, column) switch
                {
                    (0, _) => column,
                    (_, 0) => row,
                    _ => Math.Min(
                        Math.Min(table[row - 1, column], table[row, column - 1]) + 1,
                        table[row - 1, column - 1] + (left[row - 1] == right[column - 1] ? 0 : 1)),
                };
                if (row > 1 && column > 1 && left[row - 1] == right[column - 2] && left[row - 2] == right[column - 1])
                {
                    table[row, column] = Math.Min(table[row, column], table[row - 2, column - 2] + 1);
                }
            }
        }

        return table[left.Length, right.Length];
    }
}
