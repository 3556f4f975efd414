using System.Net;

namespace Gjoll.Egress;

/// <summary>One host name and the one address and port it may lead to, such as <c>mirror.corp.test</c> and <c>10.1.2.3:443</c>.</summary>
public sealed class AllowedAddress
{
    public string Host { get; set; } = "";

    public string Address { get; set; } = "";

    internal IPEndPoint? EndPoint => IPEndPoint.TryParse(Address, out var endPoint) && endPoint.Port != 0 ? endPoint : null;

    internal bool Is(HostName host) => string.Equals(Host, host.Value, StringComparison.Ordinal);

    internal static IEnumerable<string> Problems(AllowedAddress allowed)
    {
        if (!HostName.TryParse(allowed.Host, out var host, out _) || !allowed.Is(host))
        {
            yield return $"AllowedAddresses: '{Printable.Escape(allowed.Host ?? "", 80)}' is not a canonical host name";
        }

        if (allowed.EndPoint is null)
        {
            yield return $"AllowedAddresses: '{Printable.Escape(allowed.Address ?? "", 80)}' is not an address and port";
        }
    }
}
