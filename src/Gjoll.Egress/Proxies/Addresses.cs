using System.Net;

namespace Gjoll.Egress.Proxies;

/// <summary>Addresses with ports, as an operator writes them.</summary>
internal static class Addresses
{
    /// <summary>Those that are addresses with a port; the others are left out.</summary>
    public static IReadOnlySet<IPEndPoint> Parse(IReadOnlyList<string> texts) => texts
        .Select(text => IPEndPoint.TryParse(text ?? "", out var endPoint) && endPoint.Port != 0 ? endPoint : null)
        .OfType<IPEndPoint>()
        .ToHashSet();
}
