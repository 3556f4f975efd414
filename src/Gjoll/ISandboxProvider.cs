namespace Gjoll;

/// <summary>
/// Makes, finds and removes sandboxes of one kind. Every member may be called from many tasks and many processes at once: calls on one name wait for
/// one another, calls on different names do not. Sandboxes outlive the process that made them. Failures of the host are <see cref="GjollException"/>;
/// arguments that can never work are <see cref="ArgumentException"/>. A cancelled call leaves something that the same call, or a sweep, can take up.
/// </summary>
public interface ISandboxProvider
{
    string Name { get; }

    /// <summary>Tries on this host, now, whether sandboxes work, and says what they do not contain. Never throws because they do not.</summary>
    Task<ProviderReport> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Registers a sandbox on disk and then makes its writable layer. The name with the same specification gives the existing sandbox, finishing a
    /// creation that was cut short; with another specification it fails.
    /// </summary>
    Task<ISandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// Makes a copy of a running sandbox, memory and disk and programs, under another name, and starts it. Labels, limits, forwards and host name are those of
    /// <paramref name="spec"/>; identity, key, clock and randomness are the copy's own; the source goes on after a short pause. A provider that cannot,
    /// and an unknown or stopped source, fail with <see cref="GjollException"/>; the name with the same specification gives the existing sandbox.
    /// </summary>
    Task<ISandbox> ForkAsync(SandboxName source, SandboxSpec spec, CancellationToken cancellationToken);

    /// <summary>The sandbox of that name, running or not, whoever made it; null when there is none.</summary>
    Task<ISandbox?> FindAsync(SandboxName name, CancellationToken cancellationToken);

    Task<IReadOnlyList<SandboxInfo>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Ends every process of the sandbox and removes all it had, snapshots included; the record goes last. Absent is success.</summary>
    Task DestroyAsync(SandboxName name, CancellationToken cancellationToken);

    /// <summary>
    /// Removes whatever has no record or whose record <paramref name="keep"/> refuses, and stops what is past its deadline. Safe at any time, also
    /// beside running work. One failure does not end the sweep; it is named in the report.
    /// </summary>
    Task<SweepReport> SweepAsync(Func<SandboxInfo, bool> keep, CancellationToken cancellationToken);
}

/// <param name="Works">A sandbox was really started and held.</param>
/// <param name="Reason">Why not, in a sentence; null when it works.</param>
/// <param name="Remedy">What a person can do about it; null when it works.</param>
/// <param name="NotContained">One plain sentence for each thing that this provider does not contain on this host.</param>
public sealed record ProviderReport(bool Works, string? Reason, string? Remedy, IReadOnlyList<string> NotContained)
{
    /// <summary>What works, but not as one would expect, in sentences: slow emulation, a remedy for it. Shown to the user, never a reason to stop.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>Everything in a guest takes many times as long as on the host: deadlines have to be longer.</summary>
    public bool IsSlow { get; init; }

    /// <summary>Set when the machines are run by somebody else: who contains them, in a sentence. Attacks on them are declared and never carried out.</summary>
    public string? Foreign { get; init; }
}

/// <param name="Destroyed">Sandboxes with a record that were removed.</param>
/// <param name="Stopped">Sandboxes past their deadline that were stopped.</param>
/// <param name="Strays">What belonged to no record and was removed: processes, folders, cgroups, in words.</param>
/// <param name="Failures">What could not be removed, and why.</param>
public sealed record SweepReport(
    IReadOnlyList<SandboxName> Destroyed,
    IReadOnlyList<SandboxName> Stopped,
    IReadOnlyList<string> Strays,
    IReadOnlyList<string> Failures);
