namespace Gjoll.Tests;

/// <summary>What providers do besides whose guests are on this host, all of them in the host's hands: a machine that belongs to somebody else's cloud is not.</summary>
public abstract class LocalSandboxContract : SandboxContract
{
    protected virtual bool SnapshotsWhileRunning => false;

    [Fact]
    public async Task Forward_OutlivesAGuestThatKillsWhatItCan()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out var tools), Cancel);
        var model = await ModelSocketAsync(sandbox);
        await using var first = new EchoServer(model, "model");
        await using var second = new EchoServer(tools, "tools");
        await sandbox.StartAsync(Cancel);

        await ShellAsync(sandbox, KillForwarders);
        Assert.Equal("model:still", await OutputAsync(sandbox, ToPort, "8001", "still"));
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        await sandbox.StartAsync(Cancel);

        Assert.Equal("model:back", await OutputAsync(sandbox, ToPort, "8001", "back"));
    }

    [Fact]
    public async Task ReadOnlyFolder_CanBeReadAndNotWritten()
    {
        var source = Directory.CreateDirectory(Path.Combine(Folder, "tools")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "tool"), "#!/bin/sh\necho tool\n", Cancel);
        File.SetUnixFileMode(Path.Combine(source, "tool"), (UnixFileMode)Convert.ToInt32("755", 8));
        File.SetUnixFileMode(source, (UnixFileMode)Convert.ToInt32("755", 8));
        var sandbox = await StartedAsync(Spec() with { ReadOnlyFolders = [new ReadOnlyFolder(source, "/opt/tools/v1")] });

        Assert.Equal("tool\n", await OutputAsync(sandbox, "/opt/tools/v1/tool"));
        Assert.False((await ShellAsync(sandbox, "echo x >> /opt/tools/v1/tool")).Exit.Succeeded);
        Assert.False((await ShellAsync(sandbox, "touch /opt/tools/v1/new")).Exit.Succeeded);
    }

    [Fact]
    public async Task Snapshot_BringsTheLayerBackAsItWas()
    {
        var sandbox = await StartedAsync();
        var one = new SnapshotName("one");
        await OutputAsync(sandbox, "echo first > ~/a; mkdir /work/closed; echo x > /work/closed/x; chmod 000 /work/closed; ln -s /etc/shadow /work/link");
        await StopUnlessAsync(sandbox);
        await sandbox.SnapshotAsync(one, Cancel);
        await sandbox.StartAsync(Cancel);
        await OutputAsync(sandbox, "echo second > ~/a; echo more > ~/b; chmod 700 /work/closed; rm -r /work/closed /work/link");
        await StopUnlessAsync(sandbox);

        await sandbox.RestoreAsync(one, Cancel);
        await sandbox.StartAsync(Cancel);

        Assert.Equal("first\n", await OutputAsync(sandbox, "cat ~/a; test ! -e ~/b"));
        Assert.Equal("/etc/shadow\nx\n", await OutputAsync(sandbox, "readlink /work/link; chmod 700 /work/closed; cat /work/closed/x"));
        Assert.Equal([one], await sandbox.ListSnapshotsAsync(Cancel));
    }

    [Fact]
    public async Task Snapshot_ReplacesOneOfTheSameName()
    {
        var sandbox = await StartedAsync();
        var one = new SnapshotName("one");
        foreach (var text in (string[])["first", "second"])
        {
            await OutputAsync(sandbox, "echo $1 > ~/a", text);
            await sandbox.StopAsync(TimeSpan.Zero, Cancel);
            await sandbox.SnapshotAsync(one, Cancel);
            await sandbox.StartAsync(Cancel);
        }

        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        await sandbox.RestoreAsync(one, Cancel);
        await sandbox.StartAsync(Cancel);

        Assert.Equal("second\n", await OutputAsync(sandbox, "cat ~/a"));
    }

    [Fact]
    public async Task Restore_ChangesNothingWhenTheNameIsUnknown()
    {
        var sandbox = await StartedAsync();
        await OutputAsync(sandbox, "echo kept > ~/a");
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);

        await Assert.ThrowsAsync<GjollException>(() => sandbox.RestoreAsync(new SnapshotName("none"), Cancel));
        await sandbox.StartAsync(Cancel);

        Assert.Equal("kept\n", await OutputAsync(sandbox, "cat ~/a"));
    }

    [Fact]
    public async Task Snapshot_IsRefusedWhileRunningWhereTheProviderCannot()
    {
        var sandbox = await StartedAsync();

        if (SnapshotsWhileRunning)
        {
            await sandbox.SnapshotAsync(new SnapshotName("live"), Cancel);
        }
        else
        {
            await Assert.ThrowsAsync<GjollException>(() => sandbox.SnapshotAsync(new SnapshotName("live"), Cancel));
            await Assert.ThrowsAsync<GjollException>(() => sandbox.RestoreAsync(new SnapshotName("live"), Cancel));
        }
    }

    private async Task StopUnlessAsync(ISandbox sandbox)
    {
        if (!SnapshotsWhileRunning)
        {
            await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        }
    }
}
