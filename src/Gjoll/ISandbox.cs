namespace Gjoll;

/// <summary>
/// One sandbox. Its guest is hostile from the first instruction. Members may be called concurrently; those that change its state wait for one another,
/// those that run something in it do not. Guest paths are absolute. After the sandbox was destroyed every member fails with <see cref="GjollException"/>.
/// </summary>
public interface ISandbox
{
    SandboxName Name { get; }

    /// <summary>The present state, read from the host.</summary>
    Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken);

    /// <summary>Starts it and returns when its forwards listen. Running already is success.</summary>
    Task StartAsync(CancellationToken cancellationToken);

    /// <summary>SIGTERM to every guest process, up to <paramref name="grace"/> for them to end, then the end of all. Stopped already is success. The writable layer is kept.</summary>
    Task StopAsync(TimeSpan grace, CancellationToken cancellationToken);

    /// <summary>Call after host sockets were made anew: a provider that does not find them by their path does then. Start does it itself. Not running is success.</summary>
    Task RefreshForwardsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Starts a program in the running sandbox, as its unprivileged user, with exactly the environment given. A program that does not exist is exit code
    /// 127, one that cannot be executed 126, a working folder that does not exist 125, as with <c>env</c>.
    /// </summary>
    /// <exception cref="GjollException">It is not running, the provider lacks what is asked, or a program of that <see cref="ExecSpec.Id"/> is kept already.</exception>
    Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken);

    /// <summary>
    /// Takes over a kept program, running or ended, with its output from these offsets on: those that its owner has stored. Offsets before what was
    /// acknowledged or beyond what was written fail. Any number of callers may try; the last one has it, and the handle that it was taken from fails.
    /// Null when the sandbox keeps no program of that id.
    /// </summary>
    Task<IGuestProcess?> AttachAsync(string id, long output, long error, CancellationToken cancellationToken);

    /// <summary>The kept programs, running and ended, that were not forgotten. The guest's word.</summary>
    Task<IReadOnlyList<GuestProgram>> ListProgramsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Connects to a TCP port on the guest's loopback. Nobody listening there is a <see cref="GjollException"/> that is transient. The connection ends
    /// with the connection to the guest, and then fails with <see cref="IOException"/>.
    /// </summary>
    Task<GuestConnection> ConnectAsync(int guestPort, CancellationToken cancellationToken);

    /// <summary>Asks the guest how it is: that it answers is the host's knowledge, what it answers is its own word. No answer is a <see cref="GjollException"/> that is transient.</summary>
    Task<SandboxHealth> HealthAsync(CancellationToken cancellationToken);

    /// <summary>Writes one file through the guest, making its parent folders; an existing file is replaced in one step.</summary>
    Task WriteFileAsync(string guestPath, Stream content, GuestFileMode mode, CancellationToken cancellationToken);

    /// <summary>Copies the content of a folder of the host into a folder of the guest, through the guest. Names of any bytes; links stay links.</summary>
    Task CopyInAsync(string hostFolder, string guestFolder, CancellationToken cancellationToken);

    /// <summary>Reads one file through the guest. A file longer than <paramref name="maxBytes"/> fails, after that many bytes were written.</summary>
    Task<long> CopyOutAsync(string guestPath, Stream destination, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Streams a file or folder out as a tar archive made by the guest. The archive is hostile: read it with a reader that checks every entry.</summary>
    Task<long> CopyOutArchiveAsync(string guestPath, Stream destination, long maxBytes, CancellationToken cancellationToken);

    /// <summary>Keeps a copy of the writable layer under a name, replacing one of that name. Only a provider that says so can do it while the sandbox runs.</summary>
    Task SnapshotAsync(SnapshotName name, CancellationToken cancellationToken);

    /// <summary>
    /// Puts the writable layer back as it was; a machine that was running when the snapshot was taken goes on there when it is started. An unknown name fails
    /// and changes nothing. Only a provider that takes snapshots of running sandboxes restores a running one, which it stops.
    /// </summary>
    Task RestoreAsync(SnapshotName name, CancellationToken cancellationToken);

    Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken);
}

/// <param name="Id">As given at its start.</param>
/// <param name="ProcessId">In the guest.</param>
/// <param name="Exit">Null while it runs.</param>
public sealed record GuestProgram(string Id, int ProcessId, ExitStatus? Exit);

/// <summary>What a guest says of itself: for display, never for a decision.</summary>
public sealed record SandboxHealth(string AgentVersion, string BootId, TimeSpan Uptime, long MemoryAvailable, long DiskFree, int Programs);

public enum GuestFileMode
{
    /// <summary>0600</summary>
    Private,

    /// <summary>0644</summary>
    Readable,

    /// <summary>0755</summary>
    Executable,
}
