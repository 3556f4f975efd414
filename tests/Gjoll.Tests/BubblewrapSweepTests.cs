using System.Diagnostics;
using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

/// <summary>What a host process leaves when it dies, and how it is found again.</summary>
[Collection(nameof(HostInventory))]
public sealed class BubblewrapSweepTests : IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();
    private BubblewrapProvider _provider = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _provider = Make();
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
        await TestHost.RunAsync("rm", "-rf", _folder);
    }

    [Fact]
    public async Task Find_AttachesToWhatAKilledHostLeftRunning()
    {
        await KillAHostAsync();

        var sandbox = await _provider.FindAsync(ChildHost.Name, Cancel);

        Assert.NotNull(sandbox);
        Assert.Equal(SandboxState.Running, (await sandbox.InspectAsync(Cancel)).State);
        Assert.Equal("left\n", (await sandbox.RunAsync(Some.Shell("cat /work/left"), Cancel)).OutputText);
        await using var server = new EchoServer(Path.Combine((await sandbox.InspectAsync(Cancel)).EndpointFolder, "model.sock"), "again");
        await sandbox.RefreshForwardsAsync(Cancel);
        Assert.Equal("again:x", (await sandbox.RunAsync(Some.Shell($"printf x | {Some.Talk} 127.0.0.1:8001"), Cancel)).OutputText);
    }

    [Fact]
    public async Task Sweep_LeavesNothingOfWhatAKilledHostLeft()
    {
        var before = HostInventory.Take(_folder);
        await KillAHostAsync();
        Assert.NotEqual(before, HostInventory.Take(_folder));

        var kept = await _provider.SweepAsync(_ => true, Cancel);
        Assert.Empty(kept.Destroyed);
        var report = await _provider.SweepAsync(info => info.Name != ChildHost.Name, Cancel);

        Assert.Equal([ChildHost.Name], report.Destroyed);
        Assert.Empty(report.Failures);
        Assert.Equal(before, HostInventory.Take(_folder));
    }

    [Fact]
    public async Task Create_FinishesWhatAKilledHostBegan()
    {
        var spec = new SandboxSpec { Name = ChildHost.Name, Limits = new SandboxLimits { DiskBytes = 64 << 20 } };
        var moments = new Random(20260102);
        for (var round = 0; round < 6; round++)
        {
            using var child = ChildHost.Start(ChildHost.Churn, _folder);
            await child.StandardOutput.ReadLineAsync(Cancel);
            await Task.Delay(moments.Next(0, 300), Cancel);
            child.Kill();
            await child.WaitForExitAsync(Cancel);

            var sandbox = await _provider.CreateAsync(spec, Cancel);
            await sandbox.StartAsync(Cancel);

            var result = await sandbox.RunAsync(Some.Shell("echo up"), Cancel);
            Assert.True(result.OutputText == "up\n", $"{round}: {result.Exit} '{result.OutputText}' '{result.ErrorText}'");
            await _provider.DestroyAsync(spec.Name, Cancel);
        }
    }

    [Fact]
    public async Task Sweep_EndsWhatHasNoRecord()
    {
        var before = HostInventory.Take(_folder);
        await KillAHostAsync();
        await TestHost.RunAsync("rm", "-rf", Path.Combine(_folder, "sandboxes", ChildHost.Name.Value));

        var report = await _provider.SweepAsync(_ => true, Cancel);

        Assert.NotEmpty(report.Strays);
        Assert.Empty(report.Failures);
        Assert.Equal(before, HostInventory.Take(_folder));
    }

    [Fact]
    public async Task Sweep_RemovesWhatHasABrokenRecordAndSaysSo()
    {
        var before = HostInventory.Take(_folder);
        await KillAHostAsync();
        await File.WriteAllTextAsync(Path.Combine(_folder, "sandboxes", ChildHost.Name.Value, "record.json"), "{\"name\": ", Cancel);

        var report = await _provider.SweepAsync(_ => true, Cancel);

        Assert.Contains(report.Failures, failure => failure.Contains(ChildHost.Name.Value, StringComparison.Ordinal));
        Assert.Equal(before, HostInventory.Take(_folder));
    }

    [Fact]
    public async Task Sweep_StopsWhatIsPastItsDeadlineAndKeepsIt()
    {
        var spec = Some.Spec();
        await using var late = new BubblewrapProvider(
            new BubblewrapOptions { StateFolder = _folder, WatchInterval = TimeSpan.FromHours(1) }, new LateClock(), NullLogger<BubblewrapProvider>.Instance);
        var sandbox = await _provider.CreateAsync(spec, Cancel);
        await sandbox.StartAsync(Cancel);

        var report = await late.SweepAsync(_ => true, Cancel);

        Assert.Equal([spec.Name], report.Stopped);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
    }

    private async Task KillAHostAsync()
    {
        using var child = ChildHost.Start(ChildHost.Hold, _folder);
        Assert.Equal("ready", await child.StandardOutput.ReadLineAsync(Cancel));
        child.Kill();
        await child.WaitForExitAsync(Cancel);
    }

    private BubblewrapProvider Make() => new(new BubblewrapOptions { StateFolder = _folder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);

    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow().AddDays(2);
    }
}
