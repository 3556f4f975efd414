using System.Diagnostics;
using System.Globalization;

namespace Gjoll.Tests.Soak;

/// <summary>Sandboxes are made, used and removed again and again; afterwards the host is as it was, also when whatever takes part was killed in the middle.</summary>
public abstract class CycleContract : IAsyncLifetime
{
    private static readonly TimeSpan RoundPatience = TimeSpan.FromMinutes(2);

    protected static CancellationToken Cancel => TestContext.Current.CancellationToken;

    protected abstract string Folder { get; }

    protected abstract ISandboxProvider Provider { get; }

    protected abstract string ChildProvider { get; }

    protected abstract int Cycles { get; }

    protected abstract int Kills { get; }

    /// <summary>Milliseconds that one cycle of the child takes about: kills fall anywhere in it.</summary>
    protected abstract int CycleLength { get; }

    public abstract ValueTask InitializeAsync();

    public abstract ValueTask DisposeAsync();

    [Fact]
    public async Task Cycles_LeaveNothingBehind()
    {
        // Whatever is opened once, by the runtime or by us, is open before it counts.
        await CycleAsync(stop: true);
        await CycleAsync(stop: false);
        await Provider.SweepAsync(_ => true, Cancel);
        var before = await CountAsync();
        var descriptors = Descriptors();
        for (var round = 0; round < Cycles; round++)
        {
            await CycleAsync(stop: round % 2 == 0);
        }

        await Provider.SweepAsync(_ => true, Cancel);

        await SameAsync(before, $"{Cycles} cycles");
        Assert.InRange(Descriptors(), 0, descriptors + 5);
    }

    [Fact]
    public async Task Kills_LeaveNothingUnaccounted()
    {
        const int Seed = 20260301;
        await Provider.SweepAsync(_ => false, Cancel);
        var before = await CountAsync();
        var moments = new Random(Seed);
        for (var round = 0; round < Kills; round++)
        {
            var victims = (round % 3) switch { 0 => "host", 1 => "warden", _ => "first process" };
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
            bounded.CancelAfter(RoundPatience);
            using var child = ChildHost.Start(ChildHost.Churn, Folder, ChildProvider);
            await child.StandardOutput.ReadLineAsync(bounded.Token);
            await Task.Delay(moments.Next(0, 2 * CycleLength), bounded.Token);
            if (victims != "host")
            {
                await KillAsync(victims == "warden");
                await Task.Delay(moments.Next(0, CycleLength / 2), bounded.Token);
            }

            child.Kill();
            await child.WaitForExitAsync(bounded.Token);

            var report = await Provider.SweepAsync(_ => false, bounded.Token);

            Assert.True(report.Failures.Count == 0, $"Seed {Seed}, round {round}, {victims} killed: {string.Join("; ", report.Failures)}");
            Assert.Empty(await Provider.ListAsync(bounded.Token));
            await SameAsync(before, $"seed {Seed}, round {round}, {victims} killed");
        }
    }

    /// <summary>Those of this process but the libraries that the runtime opens when it needs them first.</summary>
    private static int Descriptors()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        return Directory.GetFiles("/proc/self/fd").Count(file => new FileInfo(file).LinkTarget is { } target && !target.EndsWith(".dll", StringComparison.Ordinal));
    }

    private async Task CycleAsync(bool stop)
    {
        var spec = ChildHost.Spec(ChildProvider);
        var sandbox = await Provider.CreateAsync(spec, Cancel);
        await sandbox.StartAsync(Cancel);
        Assert.Equal("up\n", (await sandbox.RunAsync(Some.Shell("echo up; echo x > /work/x; setsid sleep 608 >/dev/null 2>&1 & :"), Cancel)).OutputText);
        if (stop)
        {
            await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        }

        await Provider.DestroyAsync(sandbox.Name, Cancel);
    }

    /// <summary>Kills one kind of the processes on the host's side of the wall, whichever live at that moment.</summary>
    private async Task KillAsync(bool wardens)
    {
        foreach (var id in TestHost.Processes().Where(id => TestHost.EnvironmentOf(id).Any(entry => entry == "GJOLL_SANDBOX=" + Marker)))
        {
            if (TestHost.CommandOf(id)[0].EndsWith("gjoll-warden", StringComparison.Ordinal) == wardens)
            {
                // It may have ended by itself.
                using var kill = Process.Start("kill", ["-9", id.ToString(CultureInfo.InvariantCulture)]);
                await kill.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    private string Marker => new Bubblewrap.SandboxFolders(Folder).Marker(ChildHost.Name);

    private async Task SameAsync((string Inventory, long Sockets, long Bytes) before, string after)
    {
        // The kernel lets go of loop devices and sockets a moment after their last user.
        var now = await CountAsync();
        using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(30));
        while ((now.Inventory != before.Inventory || now.Sockets != before.Sockets) && !bounded.IsCancellationRequested)
        {
            await Task.Delay(20, CancellationToken.None);
            now = await CountAsync();
        }

        Assert.True(now.Inventory == before.Inventory && now.Sockets == before.Sockets, $"After {after}: {now} instead of {before}");
        Assert.True(now.Bytes <= before.Bytes + (1 << 20), $"After {after}: {now.Bytes} bytes are on disk instead of {before.Bytes}");
    }

    private async Task<(string Inventory, long Sockets, long Bytes)> CountAsync() =>
        (HostInventory.Take(Folder),
            File.ReadLines("/proc/net/unix").Count(line => line.Contains(Folder, StringComparison.Ordinal)),
            long.Parse((await TestHost.RunAsync("du", "-s", "--block-size=1", Folder)).Split('\t')[0], CultureInfo.InvariantCulture));
}
