using Gjoll.Channel;
using Gjoll.Records;

namespace Gjoll.Qemu;

/// <summary>A handle on a record; what it holds besides, its connection to the warden, any other could make anew.</summary>
internal sealed class QemuSandbox : ISandbox, IWardenHost
{
    private readonly SandboxName _name;
    private readonly QemuProvider _provider;
    private readonly MachineHost _host;

    public QemuSandbox(SandboxName name, QemuProvider provider, MachineHost host)
    {
        _name = name;
        _provider = provider;
        _host = host;
        Channel = new GuestChannel(this, host.Time);
    }

    public SandboxName Name => _name;

    public GuestChannel Channel { get; }

    public Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_host.Describe(_name, _host.Demand(_name)));
    }

    public Task StartAsync(CancellationToken cancellationToken) => _provider.StartAsync(this, cancellationToken);

    public async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        // Before the lock: a dead warden is replaced under it.
        if (grace > TimeSpan.Zero && MachineHost.IsRunning(_host.Demand(_name)))
        {
            await _host.EnsureWardenAsync(_name, cancellationToken);
        }

        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        await _host.StopAsync(_name, grace, Channel, cancellationToken);
    }

    public async Task RefreshForwardsAsync(CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        _host.RefreshForwards(_name, _host.Demand(_name));
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

    public async Task SnapshotAsync(SnapshotName name, CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        await new Snapshots(_host, _name).TakeAsync(name, cancellationToken);
    }

    public async Task RestoreAsync(SnapshotName name, CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        await new Snapshots(_host, _name).RestoreAsync(name, cancellationToken);
    }

    public async Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        return new Snapshots(_host, _name).List();
    }

    public Task<string> EnsureWardenAsync(CancellationToken cancellationToken) => _host.EnsureWardenAsync(_name, cancellationToken);

    public bool IsRunning() => _host.Registry.Read(_name) is { } record && MachineHost.IsRunning(record);
}
