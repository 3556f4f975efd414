using System.Buffers;
using System.Text;

namespace Drella.Core.Secrets;

/// <summary>
/// Secrets that the host holds, found as they are, in base64 at each of its three offsets, in hexadecimal, URL-encoded, reversed, broken
/// over lines or string literals, and in part (16 characters in a row). Immutable.
/// </summary>
public sealed class KnownSecrets
{
    /// <summary>Name of the rule in findings.</summary>
    public const string Rule = "known-secret";

    // Shorter ones would be found in innocent text.
    private const int Shortest = 8;
    private const int Part = 16;

    private readonly SearchValues<string>? needles;
    private readonly Dictionary<string, int[]> lengths;
    private readonly HashSet<string> texts;

    /// <param name="secrets">The secrets; those under 8 characters are not looked for.</param>
    public KnownSecrets(IEnumerable<string> secrets)
    {
        var all = secrets.Where(s => s.Length >= Shortest).SelectMany(Forms).SelectMany(Parts).ToHashSet(StringComparer.Ordinal);
        needles = all.Count == 0 ? null : SearchValues.Create([.. all], StringComparison.Ordinal);
        lengths = all.GroupBy(n => n[..Math.Min(Shortest, n.Length)]).ToDictionary(g => g.Key, g => g.Select(n => n.Length).Distinct().OrderDescending().ToArray());
        texts = all;
    }

    internal IEnumerable<(int Start, int Length)> Find(string text)
    {
        if (needles is null)
        {
            yield break;
        }

        var (squeezed, places) = Squeeze(text);
        for (var at = 0; at < squeezed.Length; at++)
        {
            var found = squeezed.AsSpan(at).IndexOfAny(needles);
            if (found < 0)
            {
                yield break;
            }

            at += found;
            if (LengthAt(squeezed, at) is var length and > 0)
            {
                yield return (places[at], places[at + length - 1] + 1 - places[at]);
            }
        }
    }

    private int LengthAt(string squeezed, int at) =>
        lengths.GetValueOrDefault(squeezed.Substring(at, Math.Min(Shortest, squeezed.Length - at)), [])
            .FirstOrDefault(l => at + l <= squeezed.Length && texts.Contains(squeezed.Substring(at, l)));

    private static IEnumerable<string> Parts(string form)
    {
        var text = Squeeze(form).Text;
        if (text.Length < Shortest)
        {
            return [];
        }

        return text.Length <= Part + 4 ? [text] : Enumerable.Range(0, text.Length - Part + 1).Select(i => text.Substring(i, Part));
    }

    private static IEnumerable<string> Forms(string secret)
    {
        var bytes = Encoding.UTF8.GetBytes(secret);
        yield return secret;
        yield return string.Concat(secret.Reverse());
        yield return Convert.ToHexString(bytes);
        yield return Convert.ToHexStringLower(bytes);
        yield return Uri.EscapeDataString(secret);
        for (var offset = 0; offset < 3; offset++)
        {
            // The characters that depend on what stands before and after the secret are left out.
            var padded = Convert.ToBase64String([.. new byte[offset], .. bytes]).TrimEnd('=');
            var skip = offset == 0 ? 0 : offset + 1;
            var whole = (offset + bytes.Length) * 8 / 6;
            var stable = padded[skip..Math.Min(whole, padded.Length)];
            yield return stable;
            yield return stable.Replace('+', '-').Replace('/', '_');
        }
    }

    /// <summary>The text without what breaks a secret over lines or literals, and where each kept character stood.</summary>
    private static (string Text, int[] Places) Squeeze(string text)
    {
        var kept = new StringBuilder(text.Length);
        var places = new int[text.Length];
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '\\' && i + 1 < text.Length && text[i + 1] is 'n' or 'r' or 't')
            {
                i++;
            }
            else if (!char.IsWhiteSpace(c) && c is not ('"' or '\'' or '`' or '+' or ',' or '\\'))
            {
                places[kept.Length] = i;
                kept.Append(c);
            }
        }

        return (kept.ToString(), places);
    }
}
