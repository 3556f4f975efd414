using System.Buffers;
using System.Text;

namespace Gjoll.Egress;

/// <summary>
/// A request head in the strictest reading of HTTP/1: CRLF only, no folding, no space before the colon, printable ASCII. Two programs that
/// read the same bytes differently is what smuggling is made of, so whatever can be read differently is refused.
/// </summary>
internal sealed record HttpHead(string Method, string Target, string Version, IReadOnlyList<KeyValuePair<string, string>> Fields)
{
    public const int MaxBytes = 16 * 1024;
    public const int MaxFields = 100;
    private const int MaxMethod = 16;

    private static readonly SearchValues<char> Token =
        SearchValues.Create("!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

    /// <summary>Reads a head that ends with its empty line; null when it is not one.</summary>
    public static HttpHead? Parse(ReadOnlySpan<byte> bytes)
    {
        if (!bytes.EndsWith("\r\n\r\n"u8) || bytes.ContainsAnyExceptInRange((byte)0x09, (byte)0x7e))
        {
            return null;
        }

        var lines = Encoding.ASCII.GetString(bytes[..^4]).Split("\r\n");
        if (lines.Length - 1 > MaxFields || lines.Any(line => line.AsSpan().ContainsAnyInRange('\n', '\u001f')))
        {
            return null;
        }

        var parts = lines[0].Split(' ');
        if (parts is not [{ Length: > 0 and <= MaxMethod } method, { Length: > 0 } target, "HTTP/1.1" or "HTTP/1.0"]
            || method.AsSpan().ContainsAnyExceptInRange('A', 'Z')
            || target.Contains('\t'))
        {
            return null;
        }

        var fields = new List<KeyValuePair<string, string>>(lines.Length - 1);
        foreach (var line in lines.Skip(1))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (colon <= 0 || line.AsSpan(0, colon).ContainsAnyExcept(Token))
            {
                return null;
            }

            fields.Add(new(line[..colon], line[(colon + 1)..].Trim(' ', '\t')));
        }

        return new HttpHead(method, target, parts[2], fields);
    }

    /// <summary>Every value of the field, in order.</summary>
    public IReadOnlyList<string> All(string name) =>
        [.. Fields.Where(field => field.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Select(field => field.Value)];
}
