using Gjoll.Channel;

namespace Gjoll.Bubblewrap;

/// <summary>A handle on a record; it holds no state of its own, so that any number of them, in any process, agree.</summary>
internal sealed class BubblewrapSandbox(SandboxName name, SandboxHost host) : ISandbox
{
    public SandboxName Name => name;

    public Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(host.Describe(name, host.Demand(name)));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        await host.StartAsync(name, cancellationToken);
    }

    public async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        await host.StopAsync(name, grace, cancellationToken);
    }

    public async Task RefreshForwardsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        host.RefreshForwards(name);
    }

    public Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken) => spec.AsRoot
        ? throw new GjollException("A bubblewrap sandbox has no root: use the qemu provider.")
        : host.Channel(name).ExecAsync(spec, cancellationToken);

    public Task<IGuestProcess?> AttachAsync(string id, long output, long error, CancellationToken cancellationToken) =>
        host.Channel(name).AttachAsync(id, output, error, cancellationToken);

    public Task<IReadOnlyList<GuestProgram>> ListProgramsAsync(CancellationToken cancellationToken) => host.Channel(name).ListProgramsAsync(cancellationToken);

    public Task<GuestConnection> ConnectAsync(int guestPort, CancellationToken cancellationToken) => host.Channel(name).ConnectAsync(guestPort, cancellationToken);

    public Task<SandboxHealth> HealthAsync(CancellationToken cancellationToken) => host.Channel(name).HealthAsync(cancellationToken);

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
        host.CheckReserve("save a sandbox");
        await StoppedLayer().SnapshotAsync(snapshot, cancellationToken);
    }

    public async Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        await StoppedLayer().RestoreAsync(snapshot, cancellationToken);
    }

    public async Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(name, cancellationToken);
        return new WritableLayer(host.Folders, name, host.Demand(name)).Snapshots();
    }

    private WritableLayer StoppedLayer()
    {
        var record = host.Demand(name);
        if (host.Describe(name, record).State == SandboxState.Running)
        {
            throw new GjollException($"Sandbox {name} is running: stop it first.");
        }

        var layer = new WritableLayer(host.Folders, name, record);
        layer.Repair();
        return layer;
    }
}
