using System.Globalization;

namespace Drella.Configuration;

/// <summary>Times and sizes as people write them.</summary>
internal static class Units
{
    private static readonly (string Suffix, TimeSpan Unit)[] Times =
        [("ms", TimeSpan.FromMilliseconds(1)), ("s", TimeSpan.FromSeconds(1)), ("m", TimeSpan.FromMinutes(1)), ("h", TimeSpan.FromHours(1)), ("d", TimeSpan.FromDays(1))];

    private static readonly (string Suffix, long Unit)[] Sizes = [("KiB", 1L << 10), ("MiB", 1L << 20), ("GiB", 1L << 30), ("TiB", 1L << 40)];

    /// <summary>A time above zero and up to a year, or null.</summary>
    public static TimeSpan? Time(string text)
    {
        foreach (var (suffix, unit) in Times)
        {
            if (Number(text, suffix) is { } number and > 0 && number * unit <= TimeSpan.FromDays(366))
            {
                return number * unit;
            }
        }

        return null;
    }

    /// <summary>Bytes above zero and up to 1024 TiB, or null.</summary>
    public static long? Size(string text)
    {
        foreach (var (suffix, unit) in Sizes)
        {
            if (Number(text, suffix) is { } number and > 0 && number <= 1024)
            {
                return number * unit;
            }
        }

        return Number(text, "") is > 0 and var bytes ? bytes : null;
    }

    private static int? Number(string text, string suffix) =>
        text.EndsWith(suffix, StringComparison.Ordinal) && int.TryParse(text.AsSpan(0, text.Length - suffix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            ? number
            : null;
}
