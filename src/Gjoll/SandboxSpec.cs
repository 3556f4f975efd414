namespace Gjoll;

/// <summary>What a sandbox is to be. It does not change after creation: another specification is another sandbox.</summary>
public sealed record SandboxSpec
{
    public required SandboxName Name { get; init; }

    /// <summary>Who owns it, for <see cref="ISandboxProvider.SweepAsync"/>; kept in the record on the host, never shown to the guest.</summary>
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();

    public SandboxLimits Limits { get; init; } = new();

    /// <summary>The only ways out of the guest. Empty means none.</summary>
    public IReadOnlyList<Forward> Forwards { get; init; } = [];

    public IReadOnlyList<ReadOnlyFolder> ReadOnlyFolders { get; init; } = [];

    /// <summary>The guest's host name; letters, digits and '-'.</summary>
    public string Hostname { get; init; } = "sandbox";

    /// <summary>
    /// What it boots from: <c>name</c>, <c>name:variant</c> or <c>name@sha256:…</c>; null is the provider's default. A provider without images refuses any other.
    /// What a name stands for is decided at creation and kept (<see cref="SandboxInfo.Image"/>).
    /// </summary>
    public string? Image { get; init; }

    /// <summary>
    /// Its memory is laid out so that <see cref="ISandboxProvider.ForkAsync"/> takes a moment; it then shares none with others of its image. Without it
    /// a fork works and takes longer. No part of what makes two specifications the same.
    /// </summary>
    public bool Forkable { get; init; }

    /// <summary>Whether its first start may be a copy of a machine that has booted already. No part of what makes two specifications the same.</summary>
    public WarmStart Start { get; init; } = WarmStart.Prefer;
}

public enum WarmStart
{
    /// <summary>Warm where the provider has it ready, else cold.</summary>
    Prefer,

    /// <summary>Warm, making the template first when there is none; a provider that cannot refuses.</summary>
    Demand,

    Never,
}

/// <summary>Upper bounds. What a provider cannot enforce on this host it names in <see cref="ProviderReport.NotContained"/>.</summary>
public sealed record SandboxLimits
{
    public long MemoryBytes { get; init; } = 4L << 30;

    /// <summary>The writable layer: home and workspace together, or a machine's whole disk, which is at least as large as its image.</summary>
    public long DiskBytes { get; init; } = 10L << 30;

    public int MaxProcesses { get; init; } = 1024;

    public double Cpus { get; init; } = 2;

    /// <summary>How long one start may last. Then the sandbox is stopped without grace; its writable layer is kept.</summary>
    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(24);
}

/// <summary>A door from the guest to one unix socket of the host.</summary>
public abstract record Forward
{
    private Forward(string hostSocket) => HostSocket = hostSocket;

    /// <summary>
    /// The listening socket on the host: a bare file name, which stands for a socket in <see cref="SandboxInfo.EndpointFolder"/>, or an absolute path.
    /// It must exist when the sandbox starts, and may be made anew at any time.
    /// </summary>
    public string HostSocket { get; }

    /// <summary>Guest programs connect to <c>127.0.0.1:GuestPort</c>.</summary>
    public sealed record Tcp(int GuestPort, string HostSocket) : Forward(HostSocket);

    /// <summary>Guest programs connect to the unix socket <paramref name="GuestPath"/>, a path under <c>/run/</c>.</summary>
    public sealed record Unix(string GuestPath, string HostSocket) : Forward(HostSocket);
}

/// <summary>A folder of the host that the guest may read at <paramref name="GuestPath"/>, a path under <c>/opt/</c>, <c>/srv/</c> or <c>/mnt/</c>.</summary>
public sealed record ReadOnlyFolder(string HostPath, string GuestPath);
