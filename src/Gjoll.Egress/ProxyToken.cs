using System.Text;

namespace Gjoll.Egress;

/// <summary>Reads the token out of <c>Proxy-Authorization</c>: a bearer token, or the password of basic credentials.</summary>
internal static class ProxyToken
{
    /// <summary>The token; null when there is none, empty when there is something that is not one.</summary>
    public static string? Read(HttpHead head) => head.All("Proxy-Authorization") switch
    {
        [] => null,
        [var one] => Read(one),
        _ => "",
    };

    private static string Read(string value)
    {
        var space = value.IndexOf(' ', StringComparison.Ordinal);
        var scheme = space < 0 ? value : value[..space];
        var rest = space < 0 ? "" : value[(space + 1)..].Trim();
        if (scheme.Equals("Bearer", StringComparison.OrdinalIgnoreCase))
        {
            return rest;
        }

        Span<byte> decoded = stackalloc byte[512];
        if (!scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase) || rest.Length > 600
            || !Convert.TryFromBase64String(rest, decoded, out var length))
        {
            return "";
        }

        var credentials = Encoding.UTF8.GetString(decoded[..length]);
        var colon = credentials.IndexOf(':', StringComparison.Ordinal);
        return colon < 0 ? "" : credentials[(colon + 1)..];
    }
}
