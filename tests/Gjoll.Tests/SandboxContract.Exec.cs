using System.Text;

namespace Gjoll.Tests;

public abstract partial class SandboxContract
{
    [Fact]
    public async Task Exec_GivesOutputErrorAndCodeApart()
    {
        var sandbox = await StartedAsync();

        var result = await ShellAsync(sandbox, "echo out; echo err >&2; exit 7");

        Assert.Equal(new ExitStatus(7, ExitCause.Exited), result.Exit);
        Assert.Equal("out\n", result.OutputText);
        Assert.Equal("err\n", result.ErrorText);
    }

    [Fact]
    public async Task Exec_GivesExactlyTheEnvironmentThatWasAskedFor()
    {
        var sandbox = await StartedAsync();
        var odd = "a b'c\"d\n$HOME;`id` ü";

        var result = await sandbox.RunAsync(
            new ExecSpec { Command = ["env", "-0"], Environment = new Dictionary<string, string> { ["ODD"] = odd, ["LANG"] = "C" } }, Cancel);

        var expected = new[] { "HOME=/home/agent", "LANG=C", "ODD=" + odd, "PATH=/usr/local/bin:/usr/bin:/bin", "USER=agent" };
        Assert.Equal(expected, result.OutputText.TrimEnd('\0').Split('\0').Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Exec_GivesArgumentsUnchanged()
    {
        var sandbox = await StartedAsync();
        string[] odd = ["", " ", "-n", "--", "a=b", "$(id)", "'\"\\", "new\nline", "*", "ü"];

        var result = await sandbox.RunAsync(new ExecSpec { Command = ["printf", "%s\\0", .. odd] }, Cancel);

        Assert.Equal(odd, result.OutputText[..^1].Split('\0'));
    }

    [Fact]
    public async Task Exec_RunsAProgramWhoseNameHoldsAnEqualsSign()
    {
        var sandbox = await StartedAsync();
        await sandbox.WriteFileAsync("/work/a=b", Bytes("#!/bin/sh\necho ran\n"), GuestFileMode.Executable, Cancel);

        var result = await sandbox.RunAsync(new ExecSpec { Command = ["./a=b"] }, Cancel);

        Assert.Equal("ran\n", result.OutputText);
    }

    [Fact]
    public async Task Exec_SaysWhyWhenNothingCouldRun()
    {
        var sandbox = await StartedAsync();
        await sandbox.WriteFileAsync("/work/plain", Bytes("text"), GuestFileMode.Readable, Cancel);

        Assert.Equal(127, (await sandbox.RunAsync(new ExecSpec { Command = ["no-such-program"] }, Cancel)).Exit.Code);
        Assert.Equal(126, (await sandbox.RunAsync(new ExecSpec { Command = ["/work/plain"] }, Cancel)).Exit.Code);
        Assert.Equal(125, (await sandbox.RunAsync(new ExecSpec { Command = ["true"], WorkingFolder = "/no/such" }, Cancel)).Exit.Code);
    }

    [Fact]
    public async Task Exec_RefusesWhatCanNeverWork()
    {
        var sandbox = await StartedAsync();

        await Assert.ThrowsAsync<ArgumentException>(() => sandbox.ExecAsync(new ExecSpec { Command = [] }, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => sandbox.ExecAsync(new ExecSpec { Command = ["a\0b"] }, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => sandbox.ExecAsync(new ExecSpec { Command = ["true"], WorkingFolder = "relative" }, Cancel));
        await Assert.ThrowsAsync<ArgumentException>(
            () => sandbox.ExecAsync(new ExecSpec { Command = ["true"], Environment = new Dictionary<string, string> { ["-u"] = "" } }, Cancel));
    }

    [Fact]
    public async Task Exec_FailsWhenTheSandboxDoesNotRun()
    {
        var sandbox = await Provider.CreateAsync(Spec(), Cancel);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.ExecAsync(Some.Shell("true"), Cancel));

        await sandbox.StartAsync(Cancel);
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);

        await Assert.ThrowsAsync<GjollException>(() => sandbox.ExecAsync(Some.Shell("true"), Cancel));
    }

    [Fact]
    public async Task Exec_RunsManyAtOnce()
    {
        var sandbox = await StartedAsync();

        var outputs = await Task.WhenAll(Enumerable.Range(0, 12).Select(index => OutputAsync(sandbox, "echo $1", $"{index}")));

        Assert.Equal(Enumerable.Range(0, 12).Select(index => $"{index}\n"), outputs);
    }

    [Fact]
    public async Task Exec_TakesALargeInputToItsEnd()
    {
        const int Megabytes = 100;
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("wc -c") with { OpenStandardInput = true }, Cancel);
        var chunk = new byte[1 << 20];

        for (var index = 0; index < Megabytes; index++)
        {
            await process.StandardInput.WriteAsync(chunk, Cancel);
        }

        process.StandardInput.Close();
        using var reader = new StreamReader(process.StandardOutput);
        Assert.Equal($"{Megabytes << 20}", (await reader.ReadToEndAsync(Cancel)).Trim());
        Assert.True((await process.WaitAsync(Cancel)).Succeeded);
    }

    [Fact]
    public async Task Exec_HasItsInputAtTheEndWhenNoneWasAskedFor()
    {
        var sandbox = await StartedAsync();

        Assert.Equal("0\n", await OutputAsync(sandbox, "cat | wc -c"));
    }

    [Fact]
    public async Task Exec_LeavesOneDirectionOpenWhenTheOtherIsClosed()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("exec >&-; cat > /work/late; echo done >&2") with { OpenStandardInput = true }, Cancel);

        Assert.Equal(0, await process.StandardOutput.ReadAsync(new byte[16], Cancel));
        await process.StandardInput.WriteAsync("late"u8.ToArray(), Cancel);
        process.StandardInput.Close();
        using var reader = new StreamReader(process.StandardError);

        Assert.Equal("done\n", await reader.ReadToEndAsync(Cancel));
        Assert.Equal("late", await OutputAsync(sandbox, "cat /work/late"));
    }

    [Fact]
    public async Task Exec_FailsTheWriterWhenTheProgramNoLongerReads()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("exit 3") with { OpenStandardInput = true }, Cancel);

        Assert.Equal(3, (await process.WaitAsync(Cancel)).Code);
        await Assert.ThrowsAnyAsync<IOException>(async () => await process.StandardInput.WriteAsync(new byte[1 << 20], Cancel));
    }

    [Fact]
    public async Task Exec_HoldsTheWriterBackWhenNobodyReads()
    {
        var sandbox = await StartedAsync();
        // The program says on the other stream how far it came; with nobody reading it can fill the pipes between and no more.
        const string Script = """
            i=0
            while [ $i -lt 256 ]; do head -c 65536 /dev/zero; i=$((i+1)); echo $i > /work/progress; [ $i = 1 ] && echo going >&2; done
            echo all >&2
            """;
        await using var process = await sandbox.ExecAsync(Some.Shell(Script), Cancel);
        var errors = new StreamReader(process.StandardError);
        var first = new byte[65536];
        await process.StandardOutput.ReadExactlyAsync(first, Cancel);
        Assert.Equal("going", await errors.ReadLineAsync(Cancel));

        var progress = await WaitUntilStillAsync(async () => await OutputAsync(sandbox, "cat /work/progress"));
        Assert.InRange(int.Parse(progress, System.Globalization.CultureInfo.InvariantCulture), 1, 64);

        long total = first.Length;
        var buffer = new byte[1 << 16];
        int read;
        while ((read = await process.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            total += read;
        }

        Assert.Equal(256L * 65536, total);
        Assert.Equal("all", await errors.ReadLineAsync(Cancel));
    }

    [Fact]
    public async Task Exec_StreamsAGigabyteInConstantMemory()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell($"head -c {StreamBytes} /dev/zero"), Cancel);
        var buffer = new byte[1 << 16];
        long total = 0;
        var before = GC.GetTotalAllocatedBytes();
        int read;
        while ((read = await process.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            total += read;
        }

        Assert.Equal(StreamBytes, total);
        // Of the whole process, in which other tests run: less than one copy of what passed.
        Assert.InRange(GC.GetTotalAllocatedBytes() - before, 0, 1L << 30);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true), 0, 200L << 20);
    }

    [Fact]
    public async Task Run_KeepsABoundedTailWhenThereIsMuch()
    {
        var sandbox = await StartedAsync();

        var result = await ShellAsync(sandbox, "head -c 20000000 /dev/zero; echo END");

        Assert.Equal(20_000_004, result.OutputBytes);
        Assert.InRange(result.Output.Length, 1, 1 << 20);
        Assert.EndsWith("END\n", result.OutputText, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Run_ReturnsWhenADescendantKeepsThePipesOpen()
    {
        var sandbox = await StartedAsync();

        var result = await ShellAsync(sandbox, "setsid sleep 600 & echo started");

        Assert.Equal("started\n", result.OutputText);
    }

    [Fact]
    public async Task Run_EndsTheProgramWhenCancelled()
    {
        var sandbox = await StartedAsync();
        using var stop = new CancellationTokenSource();
        var run = sandbox.RunAsync(Some.Shell("echo $$ > /work/up; exec sleep 601"), stop.Token);
        await WaitUntilAsync(async () => (await ShellAsync(sandbox, "test -s /work/up")).Exit.Succeeded, "the program runs");

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
        await WaitUntilAsync(async () => !await IsRunningAsync(sandbox, "sleep 601"), "the program is gone");
    }

    [Fact]
    public async Task Exec_KillsTheTreeWhenItsTimeIsUp()
    {
        var sandbox = await StartedAsync();

        var result = await sandbox.RunAsync(Some.Shell("sleep 602 & sh -c 'sleep 603; true'") with { Timeout = TimeSpan.FromMilliseconds(300) }, Cancel);

        Assert.Equal(ExitCause.TimedOut, result.Exit.Cause);
        await WaitUntilAsync(async () => !await IsRunningAsync(sandbox, "sleep 60[23]"), "the tree is gone");
    }

    [Fact]
    public async Task Exec_EndsWhenItsOutputIsOverTheLimit()
    {
        var sandbox = await StartedAsync();

        var result = await sandbox.RunAsync(Some.Shell("cat /dev/zero") with { OutputLimit = 1 << 20 }, Cancel);

        Assert.Equal(ExitCause.OutputLimitReached, result.Exit.Cause);
        Assert.InRange(result.OutputBytes, 1 << 20, 16 << 20);
    }

    [Theory]
    [InlineData(GuestSignal.Terminate)]
    [InlineData(GuestSignal.Interrupt)]
    [InlineData(GuestSignal.User1)]
    public async Task Signal_ReachesTheProgram(GuestSignal signal)
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(
            Some.Shell("trap 'echo got; exit 42' TERM INT USR1; echo ready; while :; do sleep 0.01; done"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        Assert.Equal("ready", await reader.ReadLineAsync(Cancel));

        await process.SignalAsync(signal, Cancel);

        Assert.Equal("got", await reader.ReadLineAsync(Cancel));
        Assert.Equal(new ExitStatus(42, ExitCause.Exited), await process.WaitAsync(Cancel));
        await process.SignalAsync(signal, Cancel);
    }

    [Fact]
    public async Task Signal_IsToldAsInAShellWhenItEndsTheProgram()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("echo ready; exec sleep 604"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        await process.SignalAsync(GuestSignal.Kill, Cancel);

        Assert.Equal(128 + 9, (await process.WaitAsync(Cancel)).Code);
    }

    [Fact]
    public async Task Dispose_KillsTheProgramAndItsDescendants()
    {
        var sandbox = await StartedAsync();
        var process = await sandbox.ExecAsync(Some.Shell("setsid sleep 605 & echo ready; sh -c 'sleep 606; true'"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        await process.DisposeAsync();
        await process.DisposeAsync();

        await WaitUntilAsync(async () => !await IsRunningAsync(sandbox, "sleep 60[56]"), "the tree is gone");
    }

    [Fact]
    public async Task Stop_EndsWhatRunsAndSaysSo()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("trap '' TERM; echo ready; while :; do sleep 1; done"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        await sandbox.StopAsync(TimeSpan.FromMilliseconds(200), Cancel);

        Assert.Equal(ExitCause.SandboxStopped, (await process.WaitAsync(Cancel)).Cause);
        Assert.Equal(SandboxState.Stopped, (await sandbox.InspectAsync(Cancel)).State);
    }

    [Fact]
    public async Task Stop_LetsProgramsEndByThemselvesWithinTheGrace()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("trap 'sleep 1; echo saved > /work/saved; exit 0' TERM; echo ready; while :; do sleep 0.01; done"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        await sandbox.StopAsync(TimeSpan.FromSeconds(30), Cancel);
        await sandbox.StartAsync(Cancel);

        Assert.Equal("saved\n", await OutputAsync(sandbox, "cat /work/saved"));
    }

    [Fact]
    public async Task Destroy_EndsWhatRuns()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("cat /dev/zero"), Cancel);

        await Provider.DestroyAsync(sandbox.Name, Cancel);

        Assert.Equal(ExitCause.SandboxStopped, (await process.WaitAsync(Cancel)).Cause);
    }

    protected static async Task<bool> IsRunningAsync(ISandbox sandbox, string pattern) =>
        (await ShellAsync(sandbox, "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null | grep -qx \"$1 *\"", pattern)).Exit.Succeeded;

    protected static async Task WaitUntilAsync(Func<Task<bool>> condition, string what)
    {
        for (var attempt = 0; !await condition(); attempt++)
        {
            Assert.True(attempt < 500, $"Waited in vain until {what}.");
            await Task.Yield();
        }
    }

    /// <summary>The value once it is the same many times in a row.</summary>
    private static async Task<string> WaitUntilStillAsync(Func<Task<string>> read)
    {
        var last = await read();
        for (var same = 0; same < 10;)
        {
            var next = await read();
            same = next == last ? same + 1 : 0;
            last = next;
        }

        return last;
    }
}
