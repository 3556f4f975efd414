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

    /// <summary>Call after host sockets outside <see cref="SandboxInfo.EndpointFolder"/>, or any host socket when the host process is root, were made anew. Start and find do it themselves.</summary>
    Task RefreshForwardsAsync(CancellationToken cancellationToken);

    /// <summary>
    /// Starts a program in the running sandbox, as its unprivileged user, with exactly the environment given. A program that does not exist is exit code
    /// 127, one that cannot be executed 126, a working folder that does not exist 125, as with <c>env</c>.
    /// </summary>
    Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken);

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

    /// <summary>Puts the writable layer back as it was. An unknown name fails and changes nothing.</summary>
    Task RestoreAsync(SnapshotName name, CancellationToken cancellationToken);

    Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken);
}

public enum GuestFileMode
{
    /// <summary>0600</summary>
    Private,

    /// <summary>0644</summary>
    Readable,

    /// <summary>0755</summary>
    Executable,
}
