namespace Gjoll.Channel;

/// <summary>
/// What every sandbox does over the channel to its guest agent. Where it lives, and how it starts, stops and is saved, is the provider's. A handle on a
/// record: it holds no state of its own, so that any number of them, in any process, agree.
/// </summary>
internal abstract class GuestSandbox(SandboxName name) : ISandbox
{
    public SandboxName Name { get; } = name;

    /// <summary>The connection that all handles of this process share.</summary>
    protected abstract GuestChannel Channel { get; }

    public abstract Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken);

    public abstract Task StartAsync(CancellationToken cancellationToken);

    public abstract Task StopAsync(TimeSpan grace, CancellationToken cancellationToken);

    public abstract Task RefreshForwardsAsync(CancellationToken cancellationToken);

    public virtual Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken) => Channel.ExecAsync(spec, cancellationToken);

    public Task<IGuestProcess?> AttachAsync(string id, long output, long error, CancellationToken cancellationToken) => Channel.AttachAsync(id, output, error, cancellationToken);

    public Task<IReadOnlyList<GuestProgram>> ListProgramsAsync(CancellationToken cancellationToken) => Channel.ListProgramsAsync(cancellationToken);

    public Task<GuestConnection> ConnectAsync(int guestPort, CancellationToken cancellationToken) => Channel.ConnectAsync(guestPort, cancellationToken);

    public Task<SandboxHealth> HealthAsync(CancellationToken cancellationToken) => Channel.HealthAsync(cancellationToken);

    public Task WriteFileAsync(string guestPath, Stream content, GuestFileMode mode, CancellationToken cancellationToken) =>
        GuestFiles.WriteAsync(this, guestPath, content, mode, cancellationToken);

    public Task CopyInAsync(string hostFolder, string guestFolder, CancellationToken cancellationToken) =>
        GuestFiles.CopyInAsync(this, hostFolder, guestFolder, cancellationToken);

    public Task<long> CopyOutAsync(string guestPath, Stream destination, long maxBytes, CancellationToken cancellationToken) =>
        GuestFiles.CopyOutAsync(this, ["cat", "--", guestPath], guestPath, destination, maxBytes, cancellationToken);

    public Task<long> CopyOutArchiveAsync(string guestPath, Stream destination, long maxBytes, CancellationToken cancellationToken) =>
        GuestFiles.CopyOutAsync(this, GuestFiles.ArchiveCommand(guestPath), guestPath, destination, maxBytes, cancellationToken);

    public abstract Task SnapshotAsync(SnapshotName snapshot, CancellationToken cancellationToken);

    public abstract Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken);

    public abstract Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken);
}
