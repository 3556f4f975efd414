using System.Text.RegularExpressions;

namespace Drella.Core.Secrets;

/// <summary>
/// How one kind of secret looks. The first group of the pattern is the secret, or the whole match when there is no group.
/// </summary>
/// <param name="Id">Short name, shown to whoever has to remove the secret.</param>
/// <param name="Hints">The text must hold one of these, without regard to case, before the pattern is tried.</param>
/// <param name="Pattern">Linear in the text whatever the text is: it does not backtrack.</param>
/// <param name="MinEntropy">Bits for each character that the secret must have; 0 for any.</param>
internal sealed record SecretRule(string Id, IReadOnlyList<string> Hints, Regex Pattern, double MinEntropy)
{
    public static SecretRule For(string id, string hint, string pattern, double minEntropy = 0) =>
        new(id, hint.Split('|'), new Regex(pattern, RegexOptions.NonBacktracking | RegexOptions.CultureInvariant), minEntropy);
}
