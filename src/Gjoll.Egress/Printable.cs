using System.Globalization;
using System.Text;

namespace Gjoll.Egress;

/// <summary>Hostile text made fit for one line of an audit trail.</summary>
public static class Printable
{
    /// <summary>ASCII only, everything else as <c>\uXXXX</c>, cut to <paramref name="max"/> characters with a mark.</summary>
    public static string Escape(string text, int max)
    {
        var escaped = new StringBuilder(Math.Min(text.Length, max) + 8);
        foreach (var c in text)
        {
            var piece = c is >= ' ' and <= '~' and not '\\' ? c.ToString() : string.Create(CultureInfo.InvariantCulture, $"\\u{(int)c:x4}");
            if (escaped.Length + piece.Length > max - 3)
            {
                return escaped.Append("...").ToString();
            }

            escaped.Append(piece);
        }

        return escaped.ToString();
    }
}
