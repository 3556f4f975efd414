using System.Security.Cryptography;
using System.Text;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests;

public sealed class ExecTests : IAsyncLifetime
{
    private HostEnd _host = null!;

    public async ValueTask InitializeAsync() => _host = await HostEnd.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Theory]
    [InlineData("exit 7", 7)]
    [InlineData("kill -9 $$", 137)]
    [InlineData("kill -15 $$", 143)]
    [InlineData("exit 255", 255)]
    public async Task Exec_TellsTheExitCode(string script, int code)
    {
        var program = _host.Shell(script);

        Assert.Equal((code, ExitReason.Exited), await program.FinishedAsync());
    }

    [Theory]
    [InlineData("no-such-program", "/", 127)]
    [InlineData("/no/such/program", "/", 127)]
    [InlineData("/etc/passwd", "/", 126)]
    [InlineData("true", "/no/such/folder", 125)]
    public async Task Exec_TellsLikeEnvWhyItDidNotStart(string name, string folder, int code)
    {
        var program = _host.Ask(HostEnd.Script("") with { Id = "a", Command = [name], Folder = folder });

        Assert.Equal((code, ExitReason.Exited), await program.FinishedAsync());
        Assert.StartsWith("gjoll: ", Encoding.UTF8.GetString(program.Bytes(WireStream.Error)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Exec_KeepsOutputAndErrorApart()
    {
        var program = _host.Shell("echo out; echo err >&2; echo again > /dev/stdout");

        await program.FinishedAsync();

        Assert.Equal("out\nagain\n", program.Text);
        Assert.Equal("err\n", Encoding.UTF8.GetString(program.Bytes(WireStream.Error)));
    }

    [Fact]
    public async Task Exec_GivesTheProgramExactlyTheEnvironment()
    {
        var program = _host.Ask(HostEnd.Script("") with { Id = "a", Command = ["/usr/bin/env"], Environment = new Dictionary<string, string> { ["A"] = "1 =\n2" } });

        await program.FinishedAsync();

        Assert.Equal("A=1 =\n2\n", program.Text);
    }

    [Fact]
    public async Task Exec_LeavesSignalsAndDescriptorsAsAShellWould()
    {
        var program = _host.Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status; ls /proc/self/fd | wc -l; ulimit -c");

        await program.FinishedAsync();

        // Three standard ones and the one that ls reads.
        var words = program.Text.Split(['\t', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["SigBlk:", "0000000000000000", "SigIgn:", "0000000000000000", "4", "0"], words);
    }

    [Fact]
    public async Task Input_OfAHundredMegabytesArrivesWhole()
    {
        const int Total = 100 * 1024 * 1024;
        var piece = RandomNumberGenerator.GetBytes(1024 * 1024);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var program = _host.Shell("sha256sum", request => request with { OpenInput = true });
        for (var sent = 0; sent < Total; sent += piece.Length)
        {
            hash.AppendData(piece);
            await program.SendAsync(piece);
        }

        program.EndInput();

        await program.FinishedAsync();
        Assert.StartsWith(Convert.ToHexStringLower(hash.GetHashAndReset()), program.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Input_ThatNobodyReadsIsTakenAndDropped()
    {
        var program = _host.Shell("exec <&-; echo closed; sleep 600", request => request with { OpenInput = true });
        await program.UntilAsync(channel => channel.Count(WireStream.Output) > 0);

        await program.SendAsync(new byte[3 * WireLimits.Window]);

        await program.UntilAsync(channel => channel.InputAcknowledged >= 2 * WireLimits.Window);
    }

    [Fact]
    public async Task Input_MayEndBeforeTheOutput()
    {
        var program = _host.Shell("cat; echo after", request => request with { OpenInput = true });
        await program.SendAsync("before\n"u8.ToArray());
        program.EndInput();

        await program.FinishedAsync();

        Assert.Equal("before\nafter\n", program.Text);
    }

    [Fact]
    public async Task Output_OfAFloodWaitsForItsReaderInBoundedMemory()
    {
        var program = _host.Shell("head -c 300000000 /dev/zero", null, channel => channel.Acknowledges = false);

        await program.UntilAsync(channel => channel.Count(WireStream.Output) == WireLimits.Window);
        Assert.InRange(ResidentKilobytes(), 1, 64 * 1024);

        program.Acknowledges = true;
        program.Acknowledge(WireStream.Output, WireLimits.Window);
        Assert.Equal((0, ExitReason.Exited), await program.FinishedAsync());
        Assert.Equal(300_000_000, program.Count(WireStream.Output));
        Assert.InRange(ResidentKilobytes(), 1, 64 * 1024);
    }

    [Fact]
    public async Task Timeout_EndsTheTree()
    {
        var program = _host.Shell("(setsid sleep 987123 &); sleep 987123", request => request with { Timeout = 300 });

        Assert.Equal((137, ExitReason.TimedOut), await program.FinishedAsync());
        await Eventually.TrueAsync(() => Processes.With("sleep", "987123") == 0, "the sleeping ones are gone");
    }

    [Fact]
    public async Task OutputLimit_EndsTheTree()
    {
        var program = _host.Shell("yes", request => request with { OutputLimit = 100_000 });

        Assert.Equal((137, ExitReason.OutputLimit), await program.FinishedAsync());
        Assert.InRange(program.Count(WireStream.Output), 100_001, 100_000 + WireLimits.Window);
    }

    [Fact]
    public async Task Close_KillsWhatHasMovedAwayAsWell()
    {
        var program = _host.Shell("(setsid sh -c '(sleep 987124 &); sleep 987124' &); (sleep 987124 &); echo up; sleep 987124");
        await program.UntilAsync(channel => channel.Count(WireStream.Output) > 0);
        await Eventually.TrueAsync(() => Processes.With("sleep", "987124") == 4, "all four sleep");

        program.Close();

        await Eventually.TrueAsync(() => Processes.With("sleep", "987124") == 0, "none is left");
    }

    [Fact]
    public async Task Close_FindsTheTreeOfAProgramThatKilledItsKeeper()
    {
        var program = _host.Shell("(setsid sleep 987125 &); kill -9 $PPID; sleep 987125");

        Assert.Equal(137, (await program.Exited).Code);
        await Eventually.TrueAsync(() => Processes.With("sleep", "987125") == 0, "none is left");
    }

    [Fact]
    public async Task Signal_ReachesTheProgramOrAll()
    {
        var program = _host.Shell("trap 'echo usr1' USR1; (trap 'echo child' USR2; echo ready; while :; do sleep 0.05; done) & echo ready; while :; do sleep 0.05; done");
        await program.UntilAsync(channel => channel.Text.Split("ready").Length == 3);

        program.Signal(10);
        await program.UntilAsync(channel => channel.Text.Contains("usr1", StringComparison.Ordinal));
        program.Signal(12, toAll: true);
        await program.UntilAsync(channel => channel.Text.Contains("child", StringComparison.Ordinal));
        Assert.Equal(140, (await program.Exited).Code);
        program.Close();
    }

    [Fact]
    public async Task Terminal_HasItsSizeAndLearnsOfAnother()
    {
        var program = _host.Shell(
            "stty -echo; stty size; trap 'stty size; exit 3' WINCH; test -t 0 && test -t 2 && echo terminal; while :; do sleep 0.05; done",
            request => request with { OpenInput = true, Terminal = new TerminalSize(101, 33) });
        await program.UntilAsync(channel => channel.Text.Contains("terminal", StringComparison.Ordinal));

        program.Resize(77, 22);

        Assert.Equal((3, ExitReason.Exited), await program.FinishedAsync());
        Assert.Equal("33 101\r\nterminal\r\n22 77\r\n", program.Text);
    }

    [Fact]
    public async Task Terminal_TakesInputAndItsEnd()
    {
        var program = _host.Shell("stty -echo; echo ready; cat", request => request with { OpenInput = true, Terminal = new TerminalSize(80, 24) });
        await program.UntilAsync(channel => channel.Text.Contains("ready", StringComparison.Ordinal));

        await program.SendAsync("line\n"u8.ToArray());
        await program.UntilAsync(channel => channel.Text.Contains("line", StringComparison.Ordinal));
        program.EndInput();

        Assert.Equal((0, ExitReason.Exited), await program.FinishedAsync());
    }

    [Fact]
    public async Task ManySmallPrograms_LeaveNothingBehind()
    {
        await _host.Shell("true").FinishedAsync();
        var before = Descriptors();

        for (var batch = 0; batch < 100; batch++)
        {
            var programs = Enumerable.Range(0, 20).Select(_ => _host.Shell("exit 4")).ToList();
            foreach (var program in programs)
            {
                Assert.Equal((4, ExitReason.Exited), await program.FinishedAsync());
                program.Close();
            }
        }

        await Eventually.TrueAsync(() => Processes.Children(_host.ProcessId) == 0, "no child, no zombie");
        await Eventually.TrueAsync(() => Descriptors() <= before, "no descriptor");
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("a b")]
    public async Task Exec_RefusesAnIdThatIsNone(string id)
    {
        var program = _host.Ask(HostEnd.Script("true") with { Id = id });

        Assert.Equal(FailureCode.Invalid, (await program.FailureAsync()).Code);
    }

    [Fact]
    public async Task Exec_RefusesWhatCannotBeStarted()
    {
        var script = HostEnd.Script("true");
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(script with { Command = [] }).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(script with { Command = ["a\0b"] }).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(script with { Folder = "relative" }).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(script with { Environment = new Dictionary<string, string> { ["A=B"] = "" } }).FailureAsync()).Code);
        Assert.Equal(FailureCode.NotFound, (await _host.Ask(script with { User = "no-such-user" }).FailureAsync()).Code);
    }

    [Fact]
    public async Task Shutdown_EndsAllAndThenTheAgent()
    {
        var stubborn = _host.Shell("trap '' TERM; echo up; while :; do sleep 987126; done", request => request with { Keep = true });
        await stubborn.UntilAsync(channel => channel.Count(WireStream.Output) > 0);

        await _host.Ask(new ShutdownRequest(100)).ResponseAsync();

        await Eventually.TrueAsync(() => _host.HasExited, "the agent has ended");
        await Eventually.TrueAsync(() => Processes.With("sleep", "987126") == 0, "its programs too");
    }

    [Fact]
    public async Task Health_TellsOfTheGuest()
    {
        var health = (await _host.Ask(new HealthRequest()).ResponseAsync()).Health!;

        Assert.Equal(36, health.BootId.Length);
        Assert.True(health is { UptimeSeconds: > 0, MemoryAvailable: > 0, DiskFree: > 0, Programs: 0 });
    }

    private int Descriptors() => Directory.GetFiles($"/proc/{_host.ProcessId}/fd").Length;

    private long ResidentKilobytes()
    {
        // VmRSS:    12345 kB
        var line = File.ReadLines($"/proc/{_host.ProcessId}/status").First(line => line.StartsWith("VmRSS", StringComparison.Ordinal));
        return long.Parse(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], System.Globalization.CultureInfo.InvariantCulture);
    }
}
