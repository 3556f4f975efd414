using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gjoll.Egress.Proxies;

/// <summary>AWS Signature Version 4: pure, from the parts of a request to its Authorization header.</summary>
internal static class AwsSignature
{
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>The text of a time in signatures.</summary>
    public static string Stamp(DateTimeOffset at) => at.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);

    public static string Hash(ReadOnlySpan<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    /// <summary>
    /// The Authorization header. <paramref name="path"/> and <paramref name="query"/> are as <see cref="Path"/> and <see cref="Query"/> make
    /// them; all <paramref name="fields"/> are signed, and x-amz-date with <paramref name="stamp"/> and host are among them.
    /// </summary>
    public static string Authorization(
        AwsKey key, string region, string service, string stamp, string method, string path, string query,
        IEnumerable<KeyValuePair<string, string>> fields, string payloadHash)
    {
        var headers = fields
            .GroupBy(field => field.Key.ToLowerInvariant(), field => Squeeze(field.Value), StringComparer.Ordinal)
            .OrderBy(group => group.Key, StringComparer.Ordinal)
            .Select(group => (Name: group.Key, Value: string.Join(',', group)))
            .ToList();
        var signed = string.Join(';', headers.Select(header => header.Name));
        var canonical = new StringBuilder().Append(method).Append('\n')
            .Append(service == "s3" ? path : Encode(Encoding.ASCII.GetBytes(path), keepsSlash: true)).Append('\n')
            .Append(query).Append('\n');
        foreach (var (name, value) in headers)
        {
            canonical.Append(name).Append(':').Append(value).Append('\n');
        }

        canonical.Append('\n').Append(signed).Append('\n').Append(payloadHash);

        var scope = $"{stamp[..8]}/{region}/{service}/aws4_request";
        var toSign = $"{Algorithm}\n{stamp}\n{scope}\n{Hash(Encoding.Latin1.GetBytes(canonical.ToString()))}";
        var secret = Encoding.UTF8.GetBytes("AWS4" + key.Secret);
        foreach (var part in new[] { stamp[..8], region, service, "aws4_request" })
        {
            secret = HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(part));
        }

        var signature = Convert.ToHexStringLower(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(toSign)));
        return $"{Algorithm} Credential={key.Id}/{scope}, SignedHeaders={signed}, Signature={signature}";
    }

    /// <summary>The path with each character encoded as AWS does it, which is how it must be sent.</summary>
    public static string Path(string path) => Encode(Decode(path), keepsSlash: true);

    /// <summary>The query encoded and ordered as AWS does it.</summary>
    public static string Query(string? query) => string.Join('&', (query ?? "").Split('&', StringSplitOptions.RemoveEmptyEntries)
        .Select(pair => pair.Split('=', 2))
        .Select(pair => (Name: Encode(Decode(pair[0]), false), Value: pair.Length > 1 ? Encode(Decode(pair[1]), false) : ""))
        .OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal)
        .Select(pair => $"{pair.Name}={pair.Value}"));

    private static byte[] Decode(string text)
    {
        var bytes = new List<byte>(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            if (text[i] == '%')
            {
                bytes.Add(Convert.ToByte(text.Substring(i + 1, 2), 16));
                i += 2;
            }
            else
            {
                bytes.Add((byte)text[i]);
            }
        }

        return [.. bytes];
    }

    private static string Encode(byte[] bytes, bool keepsSlash)
    {
        var text = new StringBuilder(bytes.Length);
        foreach (var one in bytes)
        {
            var c = (char)one;
            if (char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '.' or '~' || (c == '/' && keepsSlash))
            {
                text.Append(c);
            }
            else
            {
                text.Append(CultureInfo.InvariantCulture, $"%{one:X2}");
            }
        }

        return text.ToString();
    }

    private static string Squeeze(string value) => string.Join(' ', value.Split(' ', StringSplitOptions.RemoveEmptyEntries));
}
