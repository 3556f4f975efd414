using Gjoll.Channel;

namespace Gjoll.Qemu;

/// <summary>A handle on a record; it holds no state of its own, so that any number of them, in any process, agree.</summary>
internal sealed class QemuSandbox(SandboxName name, QemuProvider provider, MachineHost host) : ISandbox
{
    public SandboxName Name => name;

    private GuestChannel Channel => host.Channel(name);

    public Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(host.Describe(name, host.Demand(name)));
    }

    public Task StartAsync(CancellationToken cancellationToken) => provider.StartAsync(this, cancellationToken);

    public async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        // Before the lock: a dead warden is replaced under it.
        if (MachineHost.IsRunning(host.Demand(name)))
        {
            await host.EnsureWardenAsync(name, cancellationToken);
        }

        using var held = await host.Registry.LockAsync(name, cancellationToken);
        await host.StopAsync(name, grace, cancellationToken);
    }

    public async Task RefreshForwardsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        host.RefreshForwards(name, host.Demand(name));
    }

    public Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken) => Channel.ExecAsync(spec, cancellationToken);

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

    public async Task SnapshotAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        await new Snapshots(host, name).TakeAsync(snapshot, cancellationToken);
    }

    public async Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        await new Snapshots(host, name).RestoreAsync(snapshot, cancellationToken);
    }

    public async Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        return new Snapshots(host, name).List();
    }
}
