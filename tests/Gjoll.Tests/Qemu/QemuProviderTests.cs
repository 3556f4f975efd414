using System.Text.Json;
using Gjoll.Qemu;

namespace Gjoll.Tests.Qemu;

/// <summary>What only machines can: start warm, be forked, go on from a saved state, be taken from a pool.</summary>
public sealed class QemuProviderTests(Machines machines) : IClassFixture<Machines>, IAsyncLifetime
{
    private QemuProvider _provider = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _provider = Machines.Make(machines.StateFolder);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
    }

    [Fact]
    public async Task Clones_ShareATemplateAndNothingThatTellsThemApart()
    {
        var one = await WarmAsync(Some.Spec() with { Hostname = "one" });
        var two = await WarmAsync(Some.Spec() with { Hostname = "two" });

        const string Who = "hostname; cat /etc/machine-id; head -c 16 /dev/urandom | od -An -tx1; cat /proc/sys/kernel/random/uuid";
        var first = (await OutputAsync(one, Who)).Split('\n');
        var second = (await OutputAsync(two, Who)).Split('\n');

        Assert.Equal("one", first[0]);
        Assert.Equal("two", second[0]);
        Assert.All(Enumerable.Range(1, 3), line => Assert.NotEqual(first[line], second[line]));
        Assert.True((await one.InspectAsync(Cancel)).WasWarm);
    }

    [Fact]
    public async Task Clone_HasTheHostsTimeAndAsMuchDiskAsItWasPromised()
    {
        var sandbox = await WarmAsync(Some.Spec() with { Limits = Some.Spec().Limits with { DiskBytes = 3L << 30 } });

        var seconds = long.Parse(await OutputAsync(sandbox, "date +%s"));
        Assert.InRange(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - seconds, -5, 30);
        Assert.InRange(long.Parse(await OutputAsync(sandbox, "df -B1 --output=size / | tail -1")), 5L << 29, 3L << 30);
    }

    [Fact]
    public async Task Clone_CannotChangeWhatTheOthersStartFrom()
    {
        var one = await WarmAsync(Some.Spec());
        await OutputAsync(one, "echo canary-71c > /work/left; sync");
        await one.StopAsync(TimeSpan.FromSeconds(5), Cancel);

        var two = await WarmAsync(Some.Spec());

        Assert.Equal("", await OutputAsync(two, "cat /work/left 2>/dev/null; true"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Fork_GoesOnInBothWithMemoryAndDisk(bool forkable)
    {
        var source = await WarmAsync(Some.Spec() with { Forkable = forkable });
        await OutputAsync(source, "echo disk > /work/a; echo memory > /dev/shm/b");
        await using var counting = await source.ExecAsync(Some.Shell("i=0; while :; do i=$((i+1)); echo $i > /dev/shm/count; sleep 0.2; done") with { Id = "counting" }, Cancel);

        var fork = await _provider.ForkAsync(source.Name, Some.Spec() with { Hostname = "fork" }, Cancel);

        Assert.Equal("disk\nmemory\nfork\n", await OutputAsync(fork, "cat /work/a /dev/shm/b; hostname"));
        Assert.Equal("yes\n", await OutputAsync(fork, "a=$(cat /dev/shm/count); while [ \"$(cat /dev/shm/count)\" = \"$a\" ]; do sleep 0.1; done; echo yes"));
        Assert.Equal("yes\n", await OutputAsync(source, "a=$(cat /dev/shm/count); while [ \"$(cat /dev/shm/count)\" = \"$a\" ]; do sleep 0.1; done; echo yes"));
        await OutputAsync(fork, "echo mine > /work/a");
        Assert.Equal("disk\n", await OutputAsync(source, "cat /work/a"));
    }

    [Fact]
    public async Task Snapshot_OfARunningMachineGoesOnWhereItWas()
    {
        var sandbox = await WarmAsync(Some.Spec());
        await OutputAsync(sandbox, "echo before > /dev/shm/word");
        var snapshot = new SnapshotName("live");
        await sandbox.SnapshotAsync(snapshot, Cancel);
        await OutputAsync(sandbox, "echo after > /dev/shm/word");

        await sandbox.RestoreAsync(snapshot, Cancel);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
        await sandbox.StartAsync(Cancel);

        Assert.Equal("before\n", await OutputAsync(sandbox, "cat /dev/shm/word"));
    }

    [Fact]
    public async Task Pool_HandsOutAMachineThatRunsAlready()
    {
        await using var keeper = Machines.Make(machines.StateFolder, options => options.WatchInterval = TimeSpan.FromMilliseconds(100));
        keeper.KeepReady(null, Some.Spec().Limits, 1);
        SandboxInfo? ready = null;
        await TestHost.UntilAsync(
            async () => (ready = (await keeper.ListAsync(Cancel)).FirstOrDefault(info => info.Labels.ContainsKey("gjoll.pool") && info.State == SandboxState.Running && IsUp(info.Name))) is not null,
            Cancel);
        var process = Qemu(ready!.Name);
        await keeper.SweepAsync(_ => false, Cancel);
        Assert.Contains(await keeper.ListAsync(Cancel), info => info.Name == ready.Name && info.State == SandboxState.Running);

        var sandbox = await keeper.CreateAsync(Some.Spec() with { Hostname = "taken" }, Cancel);
        await sandbox.StartAsync(Cancel);

        Assert.Equal(process, Qemu(sandbox.Name));
        Assert.True((await sandbox.InspectAsync(Cancel)).WasWarm);
        Assert.Equal("taken\n", await OutputAsync(sandbox, "hostname; echo kept > /work/a"));
        Assert.Empty((await keeper.SweepAsync(_ => true, Cancel)).Strays);
        Assert.Equal("kept\n", await OutputAsync(sandbox, "cat /work/a"));
        await sandbox.StopAsync(TimeSpan.FromSeconds(5), Cancel);
        await sandbox.StartAsync(Cancel);
        Assert.Equal("kept\n", await OutputAsync(sandbox, "cat /work/a"));
    }

    [Fact]
    public async Task Pool_MakesNoneBeyondItsMemoryAndDrainsWhenIdle()
    {
        await using var poor = Machines.Make(machines.StateFolder, options => (options.WatchInterval, options.PoolMemoryBytes) = (TimeSpan.FromHours(1), 1 << 20));
        poor.KeepReady(null, Some.Spec().Limits, 3);
        await poor.FillPoolOnceAsync(Cancel);
        Assert.Empty(await poor.ListAsync(Cancel));

        await using var idle = Machines.Make(machines.StateFolder, options => (options.WatchInterval, options.PoolIdle) = (TimeSpan.FromHours(1), TimeSpan.FromSeconds(20)));
        idle.KeepReady(null, Some.Spec().Limits, 1);
        await idle.FillPoolOnceAsync(Cancel);
        Assert.Single(await idle.ListAsync(Cancel));
        await TestHost.UntilAsync(
            async () =>
            {
                await idle.FillPoolOnceAsync(Cancel);
                return (await idle.ListAsync(Cancel)).Count == 0;
            },
            Cancel);
    }

    [Fact]
    public async Task Start_ThatWasCutShortIsMadeAgain()
    {
        var sandbox = await WarmAsync(Some.Spec());
        await _provider.PretendItIsNotUpAsync(sandbox.Name, Cancel);

        await sandbox.StartAsync(Cancel);

        Assert.Equal("up\n", await OutputAsync(sandbox, "echo up"));
    }

    [Fact]
    public async Task Template_WhoseMemoryWasChangedIsNotStarted()
    {
        var folder = TestHost.MakeFolder();
        try
        {
            await using var provider = Machines.Make(folder);
            var limits = Some.Spec().Limits;
            var id = await provider.PrepareAsync(null, limits, Cancel);
            var memory = Path.Combine(folder, "templates", id, "memory");
            await TestHost.RunAsync("chmod", "600", memory);
            await using (var file = new FileStream(memory, FileMode.Open, FileAccess.ReadWrite))
            {
                file.Seek(1 << 20, SeekOrigin.Begin);
                var old = file.ReadByte();
                file.Seek(1 << 20, SeekOrigin.Begin);
                file.WriteByte((byte)~old);
            }

            var sandbox = await provider.CreateAsync(Some.Spec() with { Start = WarmStart.Demand }, Cancel);
            var refusal = await Assert.ThrowsAsync<GjollException>(() => sandbox.StartAsync(Cancel));

            Assert.Contains("not the one that was saved", refusal.Message, StringComparison.Ordinal);
            await provider.SweepAsync(_ => false, Cancel);
        }
        finally
        {
            await TestHost.RunAsync("rm", "-rf", folder);
        }
    }

    [Fact]
    public async Task Probe_BootsAMachineAndSaysThatTranslationIsSlow()
    {
        var report = await _provider.ProbeAsync(Cancel);

        Assert.True(report.Works, report.Reason);
        Assert.Contains(report.Warnings, warning => warning.Contains("TCG", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Provider_SaysWhatIsMissingAndHowToGetIt()
    {
        await using var provider = Machines.Make(machines.StateFolder, options => options.Program = "qemu-system-none");

        var report = await provider.ProbeAsync(Cancel);

        Assert.False(report.Works);
        Assert.Contains("qemu-system-none", report.Reason, StringComparison.Ordinal);
        Assert.Contains("apt install", report.Reason, StringComparison.Ordinal);
    }

    private bool IsUp(SandboxName name) => Run(name) is { } run && run.GetProperty("isUp").GetBoolean();

    private int Qemu(SandboxName name) => Run(name)!.Value.GetProperty("qemu").GetProperty("id").GetInt32();

    private JsonElement? Run(SandboxName name)
    {
        try
        {
            var run = JsonElement.Parse(File.ReadAllText(Path.Combine(machines.StateFolder, "sandboxes", name.Value, "record.json"))).GetProperty("run");
            return run.ValueKind == JsonValueKind.Object ? run : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private async Task<ISandbox> WarmAsync(SandboxSpec spec)
    {
        var sandbox = await _provider.CreateAsync(spec with { Start = WarmStart.Demand }, Cancel);
        await sandbox.StartAsync(Cancel);
        return sandbox;
    }

    private static async Task<string> OutputAsync(ISandbox sandbox, string script)
    {
        var result = await sandbox.RunAsync(Some.Shell(script), Cancel);
        Assert.True(result.Exit.Succeeded, $"{result.Exit}: {result.ErrorText}");
        return result.OutputText;
    }
}
