using Gjoll.Channel;

namespace Gjoll.Bubblewrap;

internal sealed class BubblewrapSandbox(SandboxName name, SandboxHost host) : GuestSandbox(name)
{
    protected override GuestChannel Channel => host.Channel(Name);

    public override Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(host.Describe(Name, host.Demand(Name)));
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        await host.StartAsync(Name, cancellationToken);
    }

    public override async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        await host.StopAsync(Name, grace, cancellationToken);
    }

    public override async Task RefreshForwardsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        host.RefreshForwards(Name);
    }

    public override Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken) => spec.AsRoot
        ? throw new GjollException("A bubblewrap sandbox has no root: use the qemu provider.")
        : base.ExecAsync(spec, cancellationToken);

    public override async Task SnapshotAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        host.CheckReserve("save a sandbox");
        await StoppedLayer().SnapshotAsync(snapshot, cancellationToken);
    }

    public override async Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        await StoppedLayer().RestoreAsync(snapshot, cancellationToken);
    }

    public override async Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        return new WritableLayer(host.Folders, Name, host.Demand(Name)).Snapshots();
    }

    private WritableLayer StoppedLayer()
    {
        var record = host.Demand(Name);
        if (host.Describe(Name, record).State == SandboxState.Running)
        {
            throw new GjollException($"Sandbox {Name} is running: stop it first.");
        }

        var layer = new WritableLayer(host.Folders, Name, record);
        layer.Repair();
        return layer;
    }
}
