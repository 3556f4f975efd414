using System.Net;
using Microsoft.Extensions.Options;

namespace Drella.Gateway.Egress;

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

/// <summary>One host name and the one address and port it may lead to, such as <c>mirror.corp.test</c> and <c>10.1.2.3:443</c>.</summary>
public sealed class AllowedAddress
{
    public string Host { get; set; } = "";

    public string Address { get; set; } = "";

    internal IPEndPoint? EndPoint => IPEndPoint.TryParse(Address, out var endPoint) && endPoint.Port != 0 ? endPoint : null;

    internal bool Is(HostName host) => string.Equals(Host, host.Value, StringComparison.Ordinal);
}

/// <summary>Reports every fault of the options at once, with its key.</summary>
public sealed class EgressOptionsCheck : IValidateOptions<EgressOptions>
{
    public ValidateOptionsResult Validate(string? name, EgressOptions options)
    {
        var problems = new List<string>();
        problems.AddRange(options.TunnelPorts.Where(IsNoPort).Select(port => $"TunnelPorts: {port} is not a port"));
        problems.AddRange(options.PlainPorts.Where(IsNoPort).Select(port => $"PlainPorts: {port} is not a port"));
        problems.AddRange(options.PlainMethods.Where(IsNoMethod).Select(method => $"PlainMethods: '{method}' is not a method that can be allowed"));
        foreach (var allowed in options.AllowedAddresses)
        {
            if (!HostName.TryParse(allowed.Host, out var host, out _) || !allowed.Is(host))
            {
                problems.Add($"AllowedAddresses: '{allowed.Host}' is not a canonical host name");
            }

            if (allowed.EndPoint is null)
            {
                problems.Add($"AllowedAddresses: '{allowed.Address}' is not an address and port");
            }
        }

        Positive(options.MaxConnections, nameof(options.MaxConnections));
        Positive(options.MaxUploadBytes, nameof(options.MaxUploadBytes));
        Positive(options.MaxDownloadBytes, nameof(options.MaxDownloadBytes));
        Positive(options.HeadTimeout.Ticks, nameof(options.HeadTimeout));
        Positive(options.DialTimeout.Ticks, nameof(options.DialTimeout));
        Positive(options.IdleTimeout.Ticks, nameof(options.IdleTimeout));
        return problems.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(problems);

        void Positive(long value, string key)
        {
            if (value <= 0)
            {
                problems.Add($"{key}: must be more than zero");
            }
        }
    }

    private static bool IsNoPort(int port) => port is < 1 or > ushort.MaxValue;

    private static bool IsNoMethod(string method) =>
        method is "" or "CONNECT" or "TRACE" || method.AsSpan().ContainsAnyExceptInRange('A', 'Z');
}
