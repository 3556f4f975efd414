using Gjoll.Channel;

namespace Gjoll.OpenTofu;

/// <summary>A handle on a record; what it holds besides, its connection to the warden, any other could make anew.</summary>
internal sealed class TofuSandbox : ISandbox, IWardenHost
{
    private readonly SandboxName _name;
    private readonly TofuHost _host;

    public TofuSandbox(SandboxName name, TofuHost host)
    {
        _name = name;
        _host = host;
        Channel = new GuestChannel(this, host.Time, host.EnvironmentOf(name));
    }

    private GuestChannel Channel { get; set; }

    public SandboxName Name => _name;

    public Task<SandboxInfo> InspectAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(_host.Describe(_name, _host.Demand(_name)));
    }

    public async Task StartAsync(CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        await _host.StartAsync(_name, Channel, cancellationToken);
        // The home folder is known now.
        await RenewChannelAsync();
    }

    public async Task StopAsync(TimeSpan grace, CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        await _host.StopAsync(_name, grace, Channel, cancellationToken);
        await RenewChannelAsync();
    }

    public async Task RefreshForwardsAsync(CancellationToken cancellationToken)
    {
        using var held = await _host.Registry.LockAsync(_name, cancellationToken);
        _host.RefreshForwards(_name);
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

    public Task SnapshotAsync(SnapshotName name, CancellationToken cancellationToken) => throw NoSnapshots();

    public Task RestoreAsync(SnapshotName name, CancellationToken cancellationToken) => throw NoSnapshots();

    public Task<IReadOnlyList<SnapshotName>> ListSnapshotsAsync(CancellationToken cancellationToken)
    {
        _host.Demand(_name);
        return Task.FromResult<IReadOnlyList<SnapshotName>>([]);
    }

    public Task<string> EnsureWardenAsync(CancellationToken cancellationToken) => _host.EnsureWardenAsync(_name, cancellationToken);

    public bool IsRunning() => _host.Registry.Read(_name) is { Run: not null };

    private async Task RenewChannelAsync()
    {
        await Channel.DisposeAsync();
        Channel = new GuestChannel(this, _host.Time, _host.EnvironmentOf(_name));
    }

    private static GjollException NoSnapshots() => new("The opentofu provider keeps no snapshots: use those of the cloud, or the qemu provider.");
}
