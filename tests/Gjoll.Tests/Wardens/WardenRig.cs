using Gjoll.Channel;
using Gjoll.Hosts;

namespace Gjoll.Tests.Wardens;

/// <summary>The real warden over a folder, and what a provider does around it. The guest's end is the test's.</summary>
internal sealed class WardenRig : IWardenHost, IAsyncDisposable
{
    private readonly SemaphoreSlim _gate = new(1, 1);
    private readonly bool _guestConnects;
    private bool _stopped;

    private WardenRig(bool guestConnects) => _guestConnects = guestConnects;

    public string Folder { get; } = TestHost.MakeFolder();

    public byte[] Key { get; private set; } = [];

    public ProcessIdentity? Warden { get; private set; }

    public GuestChannel Channel { get; private set; } = null!;

    public string Link => Path.Combine(Folder, "link.sock");

    public string Control => Path.Combine(Folder, "control.sock");

    public static async Task<WardenRig> StartAsync(bool guestConnects, params string[] forwards)
    {
        var rig = new WardenRig(guestConnects);
        rig.Key = WardenProcess.MakeKey(Path.Combine(rig.Folder, "key"));
        WardenProcess.WriteForwards(Path.Combine(rig.Folder, "forwards.json"), forwards);
        rig.Channel = new GuestChannel(rig, TimeProvider.System);
        await rig.EnsureWardenAsync(CancellationToken.None);
        return rig;
    }

    public async Task<string> EnsureWardenAsync(CancellationToken cancellationToken)
    {
        await _gate.WaitAsync(cancellationToken);
        try
        {
            if (Warden is not { } present || !ProcessTable.IsAlive(present))
            {
                Warden = await WardenProcess.StartAsync(
                    new NativePrograms(null).Warden,
                    ["--control", Control, "--key", Path.Combine(Folder, "key"), "--forwards", Path.Combine(Folder, "forwards.json"), _guestConnects ? "--link-listen" : "--link-connect", Link],
                    new Dictionary<string, string>(),
                    TimeProvider.System,
                    cancellationToken);
            }

            return Control;
        }
        finally
        {
            _gate.Release();
        }
    }

    public bool IsRunning() => !_stopped;

    public void Stop() => _stopped = true;

    public void KillWarden() => ProcessTable.SignalKill(Warden!);

    /// <summary>Bytes of memory that the warden holds.</summary>
    public long WardenMemory() =>
        long.Parse(File.ReadLines($"/proc/{Warden!.Id}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture) * 1024;

    public async ValueTask DisposeAsync()
    {
        await Channel.DisposeAsync();
        if (Warden is { } warden)
        {
            await WardenProcess.StopAsync(warden, TimeProvider.System, CancellationToken.None);
        }

        _gate.Dispose();
        await TestHost.RunAsync("rm", "-rf", Folder);
    }
}
