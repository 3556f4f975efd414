using System.Diagnostics;
using Gjoll.Channel;
using Gjoll.Hosts;

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
        new Endpoints(host.Folders, name).Refresh(host.Demand(name), demand: false);
    }

    public Task<IGuestProcess> ExecAsync(ExecSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        cancellationToken.ThrowIfCancellationRequested();
        if (spec is not { Id: null, Terminal: null, AsRoot: false })
        {
            throw Cannot("keep a program, give it a terminal or run it as root");
        }

        var record = host.Demand(name);
        var run = record.Run ?? throw new GjollException($"Sandbox {name} is not running.");
        var (process, door) = Entry.Start(spec, record, run, host.Folders.Marker(name), record.Cgroups, !host.Cgroups.LimitsProcesses);
        return Task.FromResult<IGuestProcess>(new GuestProcess(process, door, spec, run, host.Time));
    }

    public Task<IGuestProcess?> AttachAsync(string id, long output, long error, CancellationToken cancellationToken) => Task.FromResult<IGuestProcess?>(null);

    public Task<IReadOnlyList<GuestProgram>> ListProgramsAsync(CancellationToken cancellationToken) => Task.FromResult<IReadOnlyList<GuestProgram>>([]);

    public Task<GuestConnection> ConnectAsync(int guestPort, CancellationToken cancellationToken) => throw Cannot("connect to a port of the guest");

    public Task<SandboxHealth> HealthAsync(CancellationToken cancellationToken) => throw Cannot("ask how the guest is");

    private static GjollException Cannot(string attempt) => new($"The bubblewrap provider cannot {attempt}: use the qemu provider.");

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
