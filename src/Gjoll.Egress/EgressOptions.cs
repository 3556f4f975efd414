using System.Net;

namespace Gjoll.Egress;

/// <summary>What the egress proxy serves and how much of it, the same for every sandbox. Which hosts is a matter of each assignment.</summary>
public sealed class EgressOptions
{
    /// <summary>Ports that CONNECT may name.</summary>
    public IList<int> TunnelPorts { get; set; } = [443];

    /// <summary>Ports that plain HTTP may name.</summary>
    public IList<int> PlainPorts { get; set; } = [80];

    /// <summary>Methods over plain HTTP.</summary>
    public IList<string> PlainMethods { get; set; } = ["GET", "HEAD", "OPTIONS"];

    /// <summary>Private addresses that named hosts may lead to, such as an internal mirror. Empty on purpose.</summary>
    public IList<AllowedAddress> AllowedAddresses { get; set; } = [];

    /// <summary>Connections of one sandbox at a time; more are refused, and the refusal is written down.</summary>
    public int MaxConnections { get; set; } = 64;

    public TimeSpan HeadTimeout { get; set; } = TimeSpan.FromSeconds(10);

    public TimeSpan DialTimeout { get; set; } = TimeSpan.FromSeconds(10);

    public TimeSpan IdleTimeout { get; set; } = TimeSpan.FromMinutes(5);

    public long MaxUploadBytes { get; set; } = 256L << 20;

    public long MaxDownloadBytes { get; set; } = 8L << 30;

    /// <summary>True when an operator lets this host lead to this address and port, whatever the address is.</summary>
    internal bool Lifts(HostName host, IPEndPoint endPoint) =>
        AllowedAddresses.Any(allowed => allowed.Is(host) && endPoint.Equals(allowed.EndPoint));

    /// <summary>True when an operator named this host with this port.</summary>
    internal bool LiftsPort(HostName host, int port) =>
        AllowedAddresses.Any(allowed => allowed.Is(host) && allowed.EndPoint?.Port == port);
}
