using System.Globalization;
using System.Text;

namespace Gjoll.Egress;

/// <summary>What a request head asks of the proxy. Pure; knows grammar and not policy.</summary>
internal abstract record EgressRequest
{
    // What belongs to one connection, and what could carry a credential in the clear.
    private static readonly HashSet<string> Dropped = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Expect", "Host", "Content-Length",
        "Authorization", "Cookie", "Cookie2",
    };

    private EgressRequest()
    {
    }

    /// <summary>A tunnel to a host and port.</summary>
    public sealed record Tunnel(HostName Host, int Port) : EgressRequest;

    /// <summary>One request over plain HTTP: the head as it goes out, and how many bytes of body belong to it.</summary>
    public sealed record Plain(HostName Host, int Port, string Method, byte[] Head, long BodyLength) : EgressRequest;

    public sealed record Refused(EgressRefusal Refusal) : EgressRequest;

    public static EgressRequest From(HttpHead head) =>
        head.Method == "CONNECT" ? ReadTunnel(head) : ReadPlain(head);

    private static EgressRequest ReadTunnel(HttpHead head)
    {
        if (!TrySplit(head.Target, null, out var name, out var port))
        {
            return new Refused(EgressRefusal.Malformed);
        }

        if (!HostName.TryParse(name, out var host, out var refusal))
        {
            return new Refused(refusal);
        }

        if (head.All("Content-Length").Any(length => length != "0") || head.All("Transfer-Encoding").Count > 0)
        {
            return new Refused(EgressRefusal.Body);
        }

        return HostFieldAgrees(head, host, port, defaultPort: port, isRequired: false)
            ? new Tunnel(host, port)
            : new Refused(EgressRefusal.HostMismatch);
    }

    private static EgressRequest ReadPlain(HttpHead head)
    {
        const string Scheme = "http://";
        if (!head.Target.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase))
        {
            return new Refused(EgressRefusal.Scheme);
        }

        var rest = head.Target[Scheme.Length..];
        var end = rest.AsSpan().IndexOfAny('/', '?', '#');
        var authority = end < 0 ? rest : rest[..end];
        var path = end < 0 ? "/" : rest[end..];
        if (path.Contains('#', StringComparison.Ordinal) || path.Contains('\\', StringComparison.Ordinal)
            || !TrySplit(authority, 80, out var name, out var port))
        {
            return new Refused(EgressRefusal.Malformed);
        }

        if (!HostName.TryParse(name, out var host, out var refusal))
        {
            return new Refused(refusal);
        }

        if (!HostFieldAgrees(head, host, port, defaultPort: 80, isRequired: true))
        {
            return new Refused(EgressRefusal.HostMismatch);
        }

        if (!TryBodyLength(head, out var length))
        {
            return new Refused(EgressRefusal.Body);
        }

        return new Plain(host, port, head.Method, Rewrite(head, host, port, path[0] == '?' ? "/" + path : path, length), length);
    }

    private static bool TrySplit(string authority, int? defaultPort, out string name, out int port)
    {
        var colon = authority.LastIndexOf(':');
        if (authority.EndsWith(']'))
        {
            colon = -1;
        }

        name = colon < 0 ? authority : authority[..colon];
        port = defaultPort ?? 0;
        if (colon < 0)
        {
            return defaultPort is not null;
        }

        var digits = authority.AsSpan(colon + 1);
        return digits.Length is > 0 and <= 5 && digits[0] != '0' && !digits.ContainsAnyExceptInRange('0', '9')
            && int.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out port) && port <= ushort.MaxValue;
    }

    private static bool HostFieldAgrees(HttpHead head, HostName host, int port, int defaultPort, bool isRequired)
    {
        var fields = head.All("Host");
        return fields.Count == 0
            ? !isRequired || head.Version == "HTTP/1.0"
            : fields.Count == 1
                && TrySplit(fields[0], defaultPort, out var name, out var named)
                && HostName.TryParse(name, out var other, out _)
                && other == host && named == port;
    }

    private static bool TryBodyLength(HttpHead head, out long length)
    {
        length = 0;
        var lengths = head.All("Content-Length");
        return head.All("Transfer-Encoding").Count == 0
            && (lengths.Count == 0
                || (lengths is [{ Length: > 0 and <= 15 } text]
                    && !text.AsSpan().ContainsAnyExceptInRange('0', '9')
                    && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out length)));
    }

    private static byte[] Rewrite(HttpHead head, HostName host, int port, string path, long bodyLength)
    {
        var named = head.All("Connection").SelectMany(value => value.Split(',')).Select(option => option.Trim()).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var rewritten = new StringBuilder()
            .Append(head.Method).Append(' ').Append(path).Append(" HTTP/1.1\r\nHost: ").Append(host.Value);
        if (port != 80)
        {
            rewritten.Append(CultureInfo.InvariantCulture, $":{port}");
        }

        rewritten.Append("\r\n");
        foreach (var (name, value) in head.Fields)
        {
            if (!Dropped.Contains(name) && !named.Contains(name) && !name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase))
            {
                rewritten.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        if (bodyLength > 0)
        {
            rewritten.Append(CultureInfo.InvariantCulture, $"Content-Length: {bodyLength}\r\n");
        }

        return Encoding.ASCII.GetBytes(rewritten.Append("Connection: close\r\n\r\n").ToString());
    }
}
