using System.Globalization;
using System.Net;

namespace Gjoll.Egress.Proxies;

/// <summary>The one place that a proxy leads to.</summary>
/// <param name="IsTls">True for https.</param>
/// <param name="Host">A canonical name, or an address as it is written.</param>
/// <param name="Port">Never zero.</param>
/// <param name="Prefix">The path before every path; empty or without a slash at its end.</param>
internal sealed record ProxyTarget(bool IsTls, string Host, int Port, string Prefix)
{
    /// <summary>As it stands in a Host header.</summary>
    public string Authority
    {
        get
        {
            var host = Host.Contains(':', StringComparison.Ordinal) ? $"[{Host}]" : Host;
            return Port == (IsTls ? 443 : 80) ? host : string.Create(CultureInfo.InvariantCulture, $"{host}:{Port}");
        }
    }

    /// <summary>Reads the one spelling of a target; null for every other. A user name, a query or a fragment is none.</summary>
    public static ProxyTarget? Parse(string? text)
    {
        var isTls = text?.StartsWith("https://", StringComparison.Ordinal) == true;
        if (text is null || !(isTls || text.StartsWith("http://", StringComparison.Ordinal)))
        {
            return null;
        }

        var rest = text[(isTls ? 8 : 7)..];
        var slash = rest.IndexOf('/', StringComparison.Ordinal);
        var authority = slash < 0 ? rest : rest[..slash];
        var path = slash < 0 ? "/" : rest[slash..];
        if (RequestTarget.Read(path, out _) is not { Query: null } || !TrySplit(authority, isTls ? 443 : 80, out var host, out var port))
        {
            return null;
        }

        return new ProxyTarget(isTls, host, port, path.TrimEnd('/'));
    }

    private static bool TrySplit(string authority, int defaultPort, out string host, out int port)
    {
        port = defaultPort;
        var end = authority.StartsWith('[') ? authority.IndexOf(']', StringComparison.Ordinal) + 1 : authority.IndexOf(':', StringComparison.Ordinal);
        end = end < 0 ? authority.Length : end;
        host = authority[..end];
        var rest = authority[end..];
        if (rest.Length > 0 && !(rest[0] == ':' && int.TryParse(rest.AsSpan(1), NumberStyles.None, CultureInfo.InvariantCulture, out port) && port is > 0 and <= ushort.MaxValue))
        {
            return false;
        }

        if (host.StartsWith('['))
        {
            host = host[1..^1];
            return IPAddress.TryParse(host, out var six) && six.ToString() == host;
        }

        // Other spellings of an address, such as 127.1, are neither.
        return (IPAddress.TryParse(host, out var four) && four.ToString() == host)
            || (HostName.TryParse(host, out var name, out _) && name.Value == host);
    }
}
