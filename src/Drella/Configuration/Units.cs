using System.Globalization;

namespace Drella.Configuration;

/// <summary>Times and sizes as people write them.</summary>
internal static class Units
{
    private const long LongestDays = 366;
    private const long LargestBytes = 1024L << 40;

    private static readonly (string Suffix, long Milliseconds)[] Times = [("ms", 1), ("s", 1000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)];

    private static readonly (string Suffix, long Bytes)[] Sizes = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40), ("", 1)];

    /// <summary>A time above zero and up to 366 days, or null.</summary>
    public static TimeSpan? Time(string text) => Measure(text, Times, LongestDays * 86_400_000) is { } milliseconds ? TimeSpan.FromMilliseconds(milliseconds) : null;

    /// <summary>Bytes above zero and up to 1024 TiB, or null.</summary>
    public static long? Size(string text) => Measure(text, Sizes, LargestBytes);

    // The first unit that fits: "5ms" is no number of minutes, and the empty suffix comes last.
    private static long? Measure(string text, IEnumerable<(string Suffix, long Unit)> units, long most)
    {
        foreach (var (suffix, unit) in units)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal)
                && long.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number > 0
                && number <= most / unit)
            {
                return number * unit;
            }
        }

        return null;
    }
}
