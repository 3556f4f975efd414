using Gjoll.Channel;

namespace Gjoll.Qemu;

internal sealed class QemuSandbox(SandboxName name, QemuProvider provider, MachineHost host) : GuestSandbox(name)
{
    protected override GuestChannel Channel => host.Channel(Name);

    public override Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(host.Describe(Name, host.Demand(Name)));
    }

    public override Task StartAsync(CancellationToken cancellationToken) => provider.StartAsync(this, cancellationToken);

    public override async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        // Before the lock: a dead warden is replaced under it.
        if (MachineHost.IsRunning(host.Demand(Name)))
        {
            await host.EnsureWardenAsync(Name, cancellationToken);
        }

        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        await host.StopAsync(Name, grace, cancellationToken);
    }

    public override async Task RefreshForwardsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        host.RefreshForwards(Name, host.Demand(Name));
    }

    public override async Task SnapshotAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        await new Snapshots(host, Name).TakeAsync(snapshot, cancellationToken);
    }

    public override async Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        await new Snapshots(host, Name).RestoreAsync(snapshot, cancellationToken);
    }

    public override async Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        using var held = await host.Registry.LockAsync(Name, cancellationToken);
        return new Snapshots(host, Name).List();
    }
}
