using System.Security.Cryptography;
using System.Text.Json;
using Gjoll.Qemu;
using Gjoll.Tests.Images;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.Qemu;

/// <summary>Hosts, images and callers that give the provider trouble: what it says, and that nothing is left.</summary>
[Collection(nameof(HostInventory))]
public sealed class QemuTroubleTests(Machines machines) : IClassFixture<Machines>, IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var folder in (string[])[machines.StateFolder, _folder])
        {
            await using var provider = Machines.Make(folder);
            await provider.SweepAsync(_ => false, CancellationToken.None);
        }

        await TestHost.RunAsync("rm", "-rf", _folder);
    }

    [Fact]
    public async Task Qemu_ThatIsMissingIsNamedWithItsRemedy()
    {
        await using var provider = Make(options => options.Program = "qemu-system-nowhere");

        var report = await provider.ProbeAsync(Cancel);

        Assert.False(report.Works);
        Assert.Contains("apt install qemu-system-x86", report.Reason, StringComparison.Ordinal);
        Assert.NotNull(report.Remedy);
        Assert.Empty(await provider.ListAsync(Cancel));
    }

    [Fact]
    public async Task Qemu_ThatSaysNothingAtAllIsNotWaitedForWithoutEnd()
    {
        var fake = Path.Combine(_folder, "qemu");
        await File.WriteAllTextAsync(fake, "#!/bin/sh\nexec sleep 1000\n", Cancel);
        File.SetUnixFileMode(fake, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var failure = await Assert.ThrowsAsync<GjollException>(() => new QemuVersion(fake, new HastyTime()).ReadAsync(Cancel));

        Assert.Contains("did not answer within 30 seconds", failure.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(TestHost.Processes(), id => TestHost.CommandOf(id).Contains(fake));
    }

    [Fact]
    public async Task Logs_OfAMachineOutliveIt()
    {
        await using var provider = Machines.Make(machines.StateFolder);
        var sandbox = await provider.CreateAsync(Some.Spec(), Cancel);
        await sandbox.StartAsync(Cancel);
        await sandbox.RunAsync(Some.Shell("echo last words | sudo tee /dev/console") with { AsRoot = true }, Cancel);

        await sandbox.StopAsync(TimeSpan.Zero, Cancel);

        Assert.Contains("last words", await provider.ReadConsoleAsync(sandbox.Name, Cancel), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Sweep_RemovesTemplatesAndDisksThatNothingNeeds()
    {
        await using var provider = Make(_ => { });
        var template = Directory.CreateDirectory(Path.Combine(_folder, "templates", "0123456789abcdef")).FullName;
        var record = new TemplateRecord { Image = new string('0', 64), Shape = "", Host = "", Created = default, DiskBytes = 0, StateDigest = "", MemoryDigest = "", DiskDigest = "" };
        await File.WriteAllBytesAsync(Path.Combine(template, Templates.RecordFile), JsonSerializer.SerializeToUtf8Bytes(record, TemplateJson.Default.TemplateRecord), Cancel);
        var folder = Directory.CreateDirectory(Path.Combine(_folder, "folders")).FullName;
        var (old, fresh) = (Path.Combine(folder, "old.ext4"), Path.Combine(folder, "fresh.ext4"));
        await File.WriteAllTextAsync(old, "", Cancel);
        await File.WriteAllTextAsync(fresh, "", Cancel);
        File.SetLastWriteTimeUtc(old, TimeProvider.System.GetUtcNow().UtcDateTime.AddDays(-1));

        var report = await provider.SweepAsync(_ => true, Cancel);

        Assert.Empty(report.Failures);
        Assert.Equal(2, report.Strays.Count);
        Assert.Equal((false, false, true), (Directory.Exists(template), File.Exists(old), File.Exists(fresh)));
    }

    [Theory]
    [InlineData("echo QEMU emulator version 5.2.0", "5.2 is too old: version 6.2")]
    [InlineData("echo something else", "did not name a version: something else")]
    [InlineData("echo broken >&2; exit 3", "broken")]
    public async Task Qemu_ThatIsNoneOrTooOldIsRefused(string script, string words)
    {
        var fake = Path.Combine(_folder, "qemu");
        await File.WriteAllTextAsync(fake, $"#!/bin/sh\n{script}\n", Cancel);
        File.SetUnixFileMode(fake, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        await using var provider = Make(options => options.Program = fake);

        var report = await provider.ProbeAsync(Cancel);
        var failure = await Assert.ThrowsAsync<GjollException>(() => provider.PrepareAsync(null, Some.Spec().Limits, Cancel));

        Assert.False(report.Works);
        Assert.Contains(words, report.Reason, StringComparison.Ordinal);
        Assert.Contains(words, failure.Message, StringComparison.Ordinal);
        Assert.Empty(await provider.ListAsync(Cancel));
    }

    [Fact]
    public async Task Kvm_ThatDoesNotBootIsLeftForTranslationWithAWarning()
    {
        await using var provider = Make(options => (options.Accelerator, options.BootTimeout) = (null, TimeSpan.FromSeconds(15)));
        await using var demanding = Make(options => (options.Accelerator, options.BootTimeout) = (Accelerator.Kvm, TimeSpan.FromSeconds(15)));

        var report = await provider.ProbeAsync(Cancel);
        var demanded = await demanding.ProbeAsync(Cancel);

        Assert.True(report.Works, report.Reason);
        if (demanded.Works)
        {
            Assert.Empty(report.Warnings);
        }
        else
        {
            Assert.Contains("KVM was asked for and does not work", demanded.Reason, StringComparison.Ordinal);
            Assert.Contains("TCG", Assert.Single(report.Warnings), StringComparison.Ordinal);
        }

        Assert.Empty(await provider.ListAsync(Cancel));
        Assert.StartsWith("processes 0, mounts 0, cgroups 0,", HostInventory.Take(_folder), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Guest_ThatNeverAnswersIsEndedAndItsLastWordsAreTold()
    {
        var store = await MuteImageAsync();
        await using var provider = Make(options => (options.ImageFolder, options.BootTimeout) = (store, TimeSpan.FromSeconds(3)));
        var spec = Some.Spec() with { Start = WarmStart.Never };
        var sandbox = await provider.CreateAsync(spec, Cancel);

        var failure = await Assert.ThrowsAsync<GjollException>(() => sandbox.StartAsync(Cancel));

        Assert.True(failure.IsTransient);
        Assert.Contains("did not answer in time", failure.Message, StringComparison.Ordinal);
        Assert.Contains("Kernel panic", failure.Message, StringComparison.Ordinal);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
        Assert.StartsWith("processes 0, mounts 0, cgroups 0,", HostInventory.Take(_folder), StringComparison.Ordinal);
        await provider.DestroyAsync(spec.Name, Cancel);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_folder, "sandboxes")));
    }

    [Fact]
    public async Task Commands_OnOneSandboxAtOnceWaitForOneAnother()
    {
        await using var provider = Machines.Make(machines.StateFolder);
        await using var other = Machines.Make(machines.StateFolder);
        var spec = Some.Spec();
        var sandbox = await provider.CreateAsync(spec, Cancel);
        var same = (await other.FindAsync(spec.Name, Cancel))!;

        await Task.WhenAll(sandbox.StartAsync(Cancel), same.StartAsync(Cancel), sandbox.StartAsync(Cancel));
        Assert.Equal("up\n", (await same.RunAsync(Some.Shell("echo up"), Cancel)).OutputText);
        Assert.Single(TestHost.Processes(), id => TestHost.CommandOf(id) is ["/usr/bin/qemu-system-x86_64", ..] command && command.Contains(spec.Name.Value));

        // Whichever comes first, none fails for a reason of its own and nothing is left in the end.
        await Task.WhenAll(Quietly(() => sandbox.StopAsync(TimeSpan.Zero, Cancel)), Quietly(() => same.StartAsync(Cancel)), Quietly(() => other.DestroyAsync(spec.Name, Cancel)), provider.DestroyAsync(spec.Name, Cancel));
        await provider.DestroyAsync(spec.Name, Cancel);

        Assert.Null(await other.FindAsync(spec.Name, Cancel));
        Assert.DoesNotContain(TestHost.Processes(), id => TestHost.EnvironmentOf(id).Any(entry => entry.StartsWith("GJOLL_SANDBOX=", StringComparison.Ordinal) && entry.EndsWith("-" + spec.Name.Value, StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Disk_ThatRunsOutRefusesWhatIsNewAndLeavesWhatRuns()
    {
        await using var provider = Machines.Make(machines.StateFolder);
        var spec = Some.Spec();
        var sandbox = await provider.CreateAsync(spec, Cancel);
        await sandbox.StartAsync(Cancel);
        var short0 = Machines.Options(machines.StateFolder);
        short0.DiskReserveBytes = long.MaxValue;
        await using var late = new QemuProvider(short0, TimeProvider.System, NullLogger<QemuProvider>.Instance);
        var same = (await late.FindAsync(spec.Name, Cancel))!;

        foreach (var refused in (Func<Task>[])
            [() => late.CreateAsync(Some.Spec(), Cancel), () => late.ForkAsync(spec.Name, Some.Spec(), Cancel), () => same.SnapshotAsync(new SnapshotName("full"), Cancel)])
        {
            var failure = await Assert.ThrowsAsync<GjollException>(refused);
            Assert.True(failure.IsTransient);
            Assert.Contains("kept in reserve", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal("up\n", (await same.RunAsync(Some.Shell("echo up"), Cancel)).OutputText);
        await same.StopAsync(TimeSpan.Zero, Cancel);
        await Assert.ThrowsAsync<GjollException>(() => same.StartAsync(Cancel));
        await Assert.ThrowsAsync<GjollException>(() => same.SnapshotAsync(new SnapshotName("full"), Cancel));
        Assert.Empty(await same.ListSnapshotsAsync(Cancel));
        await late.SweepAsync(info => info.Name == spec.Name, Cancel);
        Assert.Equal(spec.Name, Assert.Single(await late.ListAsync(Cancel)).Name);
        await late.DestroyAsync(spec.Name, Cancel);
        Assert.Empty(await provider.ListAsync(Cancel));
    }

    [Fact]
    public async Task Disk_ThatIsFullInMidRunMakesTheMachineWaitAndLoseNothing()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can mount a small file system.");
        var small = Directory.CreateDirectory(Path.Combine(_folder, "small")).FullName;
        await TestHost.RunAsync("mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "gjoll-test", small);
        try
        {
            var options = Machines.Options(small);
            (options.DiskReserveBytes, options.WatchInterval) = (48L << 20, TimeSpan.FromMilliseconds(100));
            var log = new Words();
            await using var provider = new QemuProvider(options, TimeProvider.System, log);
            var sandbox = await provider.CreateAsync(Some.Spec() with { Start = WarmStart.Never }, Cancel);
            await sandbox.StartAsync(Cancel);
            var ballast = Path.Combine(small, "ballast");
            await File.WriteAllBytesAsync(ballast, new byte[160 << 20], Cancel);

            await using var writer = await sandbox.ExecAsync(Some.Shell("head -c 180000000 /dev/zero > /work/large && sync && cksum < /work/large") with { Timeout = null }, Cancel);
            await TestHost.WaitUntilAsync(() => log.Have("stand still") && new DriveInfo(small).AvailableFreeSpace == 0, "the disk is full");
            File.Delete(ballast);

            using var reader = new StreamReader(writer.StandardOutput);
            Assert.EndsWith(" 180000000", await reader.ReadLineAsync(Cancel), StringComparison.Ordinal);
            Assert.True((await writer.WaitAsync(Cancel)).Succeeded);
            await provider.DestroyAsync(sandbox.Name, Cancel);
            Assert.Empty(await provider.ListAsync(Cancel));
        }
        finally
        {
            await using (var provider = Machines.Make(small))
            {
                await provider.SweepAsync(_ => false, CancellationToken.None);
            }

            await TestHost.RunAsync("umount", small);
        }
    }

    private sealed class Words : Microsoft.Extensions.Logging.ILogger<QemuProvider>
    {
        private readonly System.Collections.Concurrent.ConcurrentQueue<string> _lines = new();

        public bool Have(string words) => _lines.Any(line => line.Contains(words, StringComparison.Ordinal));

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(Microsoft.Extensions.Logging.LogLevel logLevel) => true;

        public void Log<TState>(
            Microsoft.Extensions.Logging.LogLevel logLevel, Microsoft.Extensions.Logging.EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            _lines.Enqueue(formatter(state, exception));
    }

    private QemuProvider Make(Action<QemuOptions> change)
    {
        var options = Machines.Options(_folder);
        change(options);
        return new QemuProvider(options, TimeProvider.System, NullLogger<QemuProvider>.Instance);
    }

    private static async Task Quietly(Func<Task> command)
    {
        try
        {
            await command();
        }
        catch (GjollException)
        {
            // The sandbox was gone, or being taken away.
        }
    }

    /// <summary>The minimal image once more, with a kernel that finds nothing to run, says so and stands still.</summary>
    private async Task<string> MuteImageAsync()
    {
        var reference = (await File.ReadAllTextAsync(Path.Combine(MinimalImage.StoreFolder, "drellaos", "minimal.ref"), Cancel)).Trim();
        var images = Directory.CreateDirectory(Path.Combine(_folder, "store", "drellaos")).FullName;
        var draft = Path.Combine(images, "draft");
        await TestHost.RunAsync("cp", "-r", "--sparse=always", "--no-preserve=mode", Path.Combine(MinimalImage.StoreFolder, "drellaos", reference), draft);
        var file = Path.Combine(draft, "manifest.json");
        var manifest = await File.ReadAllTextAsync(file, Cancel);
        Assert.Contains("panic=-1", manifest, StringComparison.Ordinal);
        await File.WriteAllTextAsync(file, manifest.Replace("panic=-1", "panic=0 rdinit=/nothing init=/nothing root=none", StringComparison.Ordinal), Cancel);
        var digest = Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(file, Cancel)));
        Directory.Move(draft, Path.Combine(images, digest));
        await File.WriteAllTextAsync(Path.Combine(images, "minimal.ref"), digest + "\n", Cancel);
        return Path.Combine(_folder, "store");
    }
}
