using Gjoll.Channel;

namespace Gjoll.OpenTofu;

/// <summary>A handle on a record; it holds no state of its own, so that any number of them, in any process, agree.</summary>
internal sealed class TofuSandbox(SandboxName name, TofuHost host) : ISandbox
{
    public SandboxName Name => name;

    private GuestChannel Channel => host.Channel(name);

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

    public Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken) => spec.AsRoot && host.Demand(name).Outputs is { SshUser: not "root" and var user }
        ? throw new GjollException($"The opentofu provider runs programs as {user}: put sudo before the command where that is allowed, or let ssh_user be root.")
        : Channel.ExecAsync(spec, cancellationToken);

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

    public Task SnapshotAsync(SnapshotName name, CancellationToken cancellationToken) => throw NoSnapshots();

    public Task RestoreAsync(SnapshotName name, CancellationToken cancellationToken) => throw NoSnapshots();

    public Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        host.Demand(name);
        return Task.FromResult<IReadOnlyList<SnapshotName>>([]);
    }

    private static GjollException NoSnapshots() => new("The opentofu provider keeps no snapshots: use those of the cloud, or the qemu provider.");
}
