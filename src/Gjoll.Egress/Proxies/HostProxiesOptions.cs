namespace Gjoll.Egress.Proxies;

/// <summary>The named proxies of one sandbox.</summary>
public sealed record HostProxiesOptions
{
    /// <summary>Whose they are, for the journal.</summary>
    public required string Sandbox { get; init; }

    /// <summary>Absolute folder for the sockets, entered by its owner only; each is named after its proxy, with <c>.sock</c>.</summary>
    public required string Folder { get; init; }

    public required IReadOnlyList<ProxyDefinition> Proxies { get; init; }

    /// <summary>Looks up an environment variable of the host, where credentials are said to be there.</summary>
    public required Func<string, string?> Environment { get; init; }

    /// <summary>Longest time for a request's head.</summary>
    public TimeSpan HeadTimeout { get; init; } = TimeSpan.FromSeconds(10);
}
