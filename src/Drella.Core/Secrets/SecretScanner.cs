namespace Drella.Core.Secrets;

/// <summary>Where a secret is. It never holds the secret.</summary>
/// <param name="Rule">Kind of secret.</param>
/// <param name="Line">Line in the text, from 1.</param>
/// <param name="Start">Position in the text.</param>
/// <param name="Length">Characters that must not leave.</param>
public sealed record SecretFinding(string Rule, int Line, int Start, int Length);

/// <summary>
/// Finds secrets in text: those of known formats, and those that the host itself holds, whole, encoded, split or in part.
/// There is no way to mark a finding as allowed inside the text. Thread-safe; takes time linear in the text.
/// </summary>
/// <param name="known">Secrets that the host holds; null for none.</param>
public sealed class SecretScanner(KnownSecrets? known = null)
{
    private static readonly string[] Placeholders =
        ["example", "placeholder", "changeme", "xxxx", "your-", "your_", "dummy", "redacted", "0123456789", "abcdefgh", "sample", "not-a-", "fake"];

    /// <summary>Findings in the order of the text; they do not overlap.</summary>
    public IReadOnlyList<SecretFinding> Scan(string text)
    {
        var spans = new List<(string Rule, int Start, int Length)>();
        foreach (var rule in SecretRules.All)
        {
            if (!rule.Hints.Any(h => text.Contains(h, StringComparison.OrdinalIgnoreCase)))
            {
                continue;
            }

            for (var match = rule.Pattern.Match(text); match.Success; match = match.NextMatch())
            {
                var secret = match.Groups.Count > 1 ? match.Groups[1] : match.Groups[0];
                if (Counts(rule, secret.Value))
                {
                    spans.Add((rule.Id, secret.Index, secret.Length));
                }
            }
        }

        spans.AddRange(known?.Find(text).Select(s => (KnownSecrets.Rule, s.Start, s.Length)) ?? []);
        return Merge(text, spans);
    }

    /// <summary>Bits for each character, by how often each occurs.</summary>
    internal static double Entropy(string text)
    {
        double sum = 0;
        foreach (var group in text.GroupBy(c => c))
        {
            var share = (double)group.Count() / text.Length;
            sum -= share * Math.Log2(share);
        }

        return sum;
    }

    private static bool Counts(SecretRule rule, string secret)
    {
        if (rule.MinEntropy == 0)
        {
            return true;
        }

        // A shape alone says little: there, a name with dots or a made-up value is no secret.
        var isGuess = rule.Id is "assigned-secret" or "environment-secret" or "password-in-url";
        return Entropy(secret) >= rule.MinEntropy
            && !secret.EndsWith("EXAMPLE", StringComparison.Ordinal)
            && (!isGuess || (secret.Any(char.IsAsciiDigit) && secret.Any(char.IsAsciiLetter)
                && !Placeholders.Any(p => secret.Contains(p, StringComparison.OrdinalIgnoreCase))));
    }

    private static List<SecretFinding> Merge(string text, List<(string Rule, int Start, int Length)> spans)
    {
        var result = new List<SecretFinding>();
        var (line, at) = (1, 0);
        foreach (var (rule, start, length) in spans.OrderBy(s => s.Start).ThenByDescending(s => s.Length))
        {
            if (result.Count > 0 && result[^1] is var last && start < last.Start + last.Length)
            {
                result[^1] = last with { Length = Math.Max(last.Length, start + length - last.Start) };
                continue;
            }

            line += text.AsSpan(at, start - at).Count('\n');
            at = start;
            result.Add(new SecretFinding(rule, line, start, length));
        }

        return result;
    }
}
