using System.Text;

namespace Gjoll.Hosts;

/// <summary>Text that somebody else wrote, fit to stand in a message: one line, no control characters, bounded.</summary>
internal static class Printable
{
    private const int Longest = 400;

    public static string Of(string text)
    {
        var safe = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            if (safe.Length >= Longest)
            {
                return safe.Append('…').ToString();
            }

            safe.Append(Rune.IsControl(rune) || Rune.GetUnicodeCategory(rune) == System.Globalization.UnicodeCategory.Format ? new Rune('·') : rune);
        }

        return safe.ToString().Trim();
    }
}
