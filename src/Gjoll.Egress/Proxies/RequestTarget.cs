using System.Buffers;
using System.Text;

namespace Gjoll.Egress.Proxies;

/// <summary>
/// A request's path and query as they were sent. Whatever a server behind might read as another path is refused rather than repaired:
/// dot segments, empty ones, and every encoding of a slash, a dot or a percent sign.
/// </summary>
/// <param name="Path">Begins with a slash.</param>
/// <param name="Query">What follows the question mark; null without one.</param>
internal sealed record RequestTarget(string Path, string? Query)
{
    private static readonly SearchValues<char> PathCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%");

    private static readonly SearchValues<char> QueryCharacters =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;=:@/%?[]|");

    // Some servers fold these into '/', '\' or '.' before they look.
    private static readonly SearchValues<char> Lookalikes = SearchValues.Create("/\\.%\uff0f\uff0e\uff3c\uff05\u2024\u2025\u2026\u2044\u2215\u29f8\u3002");

    public static RequestTarget? Read(string raw, out EgressRefusal? refusal)
    {
        refusal = null;
        if (raw.Length == 0 || raw[0] != '/')
        {
            refusal = ProxyRefusals.Form;
            return null;
        }

        var question = raw.IndexOf('?', StringComparison.Ordinal);
        var path = question < 0 ? raw : raw[..question];
        var query = question < 0 ? null : raw[(question + 1)..];
        if (path.AsSpan().ContainsAnyExcept(PathCharacters) || query.AsSpan().ContainsAnyExcept(QueryCharacters) || (query is not null && !IsEncoded(query)))
        {
            refusal = EgressRefusal.Malformed;
            return null;
        }

        if (!IsPlain(path))
        {
            refusal = ProxyRefusals.Path;
            return null;
        }

        return new RequestTarget(path, query);
    }

    private static bool IsPlain(string path)
    {
        var segments = path[1..].Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            var segment = segments[i];

            // '..;x' is '..' to servers that know path parameters.
            var name = segment.Split(';')[0];
            if (name is "." or ".." || (segment.Length == 0 && i < segments.Length - 1) || !IsEncoded(segment) || !IsHarmless(segment))
            {
                return false;
            }
        }

        return true;
    }

    /// <summary>True when every percent sign begins two hexadecimal digits.</summary>
    private static bool IsEncoded(string text)
    {
        for (var i = text.IndexOf('%', StringComparison.Ordinal); i >= 0; i = text.IndexOf('%', i + 1))
        {
            if (i + 2 >= text.Length || !char.IsAsciiHexDigit(text[i + 1]) || !char.IsAsciiHexDigit(text[i + 2]))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHarmless(string segment)
    {
        if (!segment.Contains('%', StringComparison.Ordinal))
        {
            return true;
        }

        var encoded = new List<byte>();
        for (var i = 0; i < segment.Length; i++)
        {
            if (segment[i] == '%')
            {
                encoded.Add(Convert.ToByte(segment.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                // Keeps the runs of encoded bytes apart.
                encoded.Add((byte)'_');
            }
        }

        try
        {
            var text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString([.. encoded]);
            return !text.AsSpan().ContainsAny(Lookalikes) && !text.Any(char.IsControl);
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
    }
}
