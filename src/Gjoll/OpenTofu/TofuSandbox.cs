using Gjoll.Channel;

namespace Gjoll.OpenTofu;

internal sealed class TofuSandbox(SandboxName name, TofuHost host) : GuestSandbox(name)
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

    public override Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken) => spec.AsRoot && host.Demand(Name).Outputs is { SshUser: not "root" and var user }
        ? throw new GjollException($"The opentofu provider runs programs as {user}: put sudo before the command where that is allowed, or let ssh_user be root.")
        : base.ExecAsync(spec, cancellationToken);

    public override Task SnapshotAsync(SnapshotName snapshot, CancellationToken cancellationToken) => throw NoSnapshots();

    public override Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken) => throw NoSnapshots();

    public override Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        host.Demand(Name);
        return Task.FromResult<IReadOnlyList<SnapshotName>>([]);
    }

    private static GjollException NoSnapshots() => new("The opentofu provider keeps no snapshots: use those of the cloud, or the qemu provider.");
}
