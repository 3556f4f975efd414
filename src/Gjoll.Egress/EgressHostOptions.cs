namespace Gjoll.Egress;

/// <summary>One sandbox's own egress proxy.</summary>
public sealed record EgressHostOptions
{
    /// <summary>Whose it is, for the journal.</summary>
    public required string Sandbox { get; init; }

    /// <summary>Absolute path of the unix socket, at most 107 bytes, in a folder that only its owner enters. Whoever connects is the sandbox.</summary>
    public required string Socket { get; init; }

    /// <summary>What may be reached.</summary>
    public required EgressPolicy Policy { get; init; }

    /// <summary>Bounds. Its own private addresses count as well as the policy's.</summary>
    public EgressOptions Limits { get; init; } = new();
}
