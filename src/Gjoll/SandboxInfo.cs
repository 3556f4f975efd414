namespace Gjoll;

public enum SandboxState
{
    /// <summary>Registered, with a writable layer; never started.</summary>
    Created,

    /// <summary>Its first process lives.</summary>
    Running,

    /// <summary>Was started and has ended, whoever ended it. The writable layer is kept.</summary>
    Stopped,
}

/// <summary>A sandbox as it was when it was asked for.</summary>
public sealed record SandboxInfo
{
    public required SandboxName Name { get; init; }
    public required string Provider { get; init; }
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    public required SandboxState State { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>When the present start will be ended; null while not running.</summary>
    public required DateTimeOffset? Deadline { get; init; }

    public required string GuestHome { get; init; }
    public required string GuestWorkspace { get; init; }

    /// <summary>The folder on the host where the owner puts the sockets that the guest may reach; nothing in it is written by the guest.</summary>
    public required string EndpointFolder { get; init; }

    /// <summary>The image by its digest, <c>name@sha256:…</c>; null where the provider has no images.</summary>
    public string? Image { get; init; }

    /// <summary>The present start, or the last one, was a copy of a machine that had booted already.</summary>
    public bool WasWarm { get; init; }
}
