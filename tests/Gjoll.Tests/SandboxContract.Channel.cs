using System.Diagnostics;
using System.Security.Cryptography;

namespace Gjoll.Tests;

/// <summary>What rests on the agent in the guest: kept programs, terminals, connections, and much of everything.</summary>
public abstract partial class SandboxContract
{
    /// <summary>Fewer where a guest is slow.</summary>
    protected virtual int SmallExecs => 10_000;

    protected virtual int ParallelForwards => 50;

    /// <summary>What one program writes without a pause.</summary>
    protected virtual long StreamBytes => 1L << 30;

    /// <summary>Bytes of the file that is copied in and out.</summary>
    protected virtual long LargeFile => 1L << 30;

    /// <summary>Its sandbox has room for the large file, and time.</summary>
    protected virtual SandboxSpec LargeSpec => Spec() with
    {
        Limits = new SandboxLimits { MemoryBytes = 512 << 20, DiskBytes = 3L << 30, MaxProcesses = 200, Lifetime = TimeSpan.FromMinutes(30) },
    };

    /// <summary>Where the process of the host that carries the sandbox's channel is asked.</summary>
    protected virtual string ControlSocket(SandboxName name) => Path.Combine(Folder, "sandboxes", name.Value, "control.sock");

    /// <summary>What starts the provider of this suite over a folder in another process, for <see cref="ChildHost"/>.</summary>
    protected abstract string ChildProvider { get; }

    [Fact]
    public async Task Exec_RunsThousandsOfSmallProgramsOneAfterTheOther()
    {
        var sandbox = await StartedAsync(LargeSpec);

        for (var count = 0; count < SmallExecs; count++)
        {
            var result = await sandbox.RunAsync(new ExecSpec { Command = ["echo", $"{count}"] }, Cancel);
            Assert.Equal($"{count}\n", result.OutputText);
        }
    }

    [Fact]
    public async Task Exec_RunsTwoCommandsAtOnceEachWithItsOwnStreams()
    {
        var sandbox = await StartedAsync();
        await using var first = await sandbox.ExecAsync(Some.Shell("read a; echo first $a; read b; echo first $b") with { OpenStandardInput = true }, Cancel);
        await using var second = await sandbox.ExecAsync(Some.Shell("read a; echo second $a") with { OpenStandardInput = true }, Cancel);
        using var one = new StreamReader(first.StandardOutput);
        using var two = new StreamReader(second.StandardOutput);

        await first.StandardInput.WriteAsync("a\n"u8.ToArray(), Cancel);
        Assert.Equal("first a", await one.ReadLineAsync(Cancel));
        await second.StandardInput.WriteAsync("b\n"u8.ToArray(), Cancel);
        Assert.Equal("second b", await two.ReadLineAsync(Cancel));
        await first.StandardInput.WriteAsync("c\n"u8.ToArray(), Cancel);
        Assert.Equal("first c", await one.ReadLineAsync(Cancel));
    }

    [Fact]
    public async Task Copy_CarriesALargeFileInAndOut()
    {
        var sandbox = await StartedAsync(LargeSpec);

        await sandbox.WriteFileAsync("/work/large", new Zeros(LargeFile), GuestFileMode.Readable, Cancel);
        var length = await sandbox.CopyOutAsync("/work/large", Stream.Null, LargeFile, Cancel);

        Assert.Equal(LargeFile, length);
        Assert.Equal($"{LargeFile}\n", await OutputAsync(sandbox, "stat -c %s /work/large"));
    }

    [Fact]
    public async Task Terminal_HasItsSizeAndIsToldOfAnother()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(
            Some.Shell("trap 'stty size; exit 5' WINCH; test -t 0 && test -t 1 && stty size; echo ready; while :; do sleep 0.05; done") with
            {
                Terminal = new TerminalSize(80, 24),
                OpenStandardInput = true,
            },
            Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        Assert.Equal("24 80", await reader.ReadLineAsync(Cancel));
        Assert.Equal("ready", await reader.ReadLineAsync(Cancel));

        await process.ResizeAsync(new TerminalSize(132, 50), Cancel);

        Assert.Equal("50 132", await reader.ReadLineAsync(Cancel));
        Assert.Equal(5, (await process.WaitAsync(Cancel)).Code);
    }

    [Fact]
    public async Task Terminal_TurnsKeysIntoSignals()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(
            Some.Shell("trap 'echo caught; exit 6' INT; echo ready; while :; do sleep 0.05; done") with { Terminal = new TerminalSize(80, 24), OpenStandardInput = true }, Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        Assert.Equal("ready", await reader.ReadLineAsync(Cancel));

        await process.StandardInput.WriteAsync(new byte[] { 3 }, Cancel);

        Assert.Contains("caught", await reader.ReadToEndAsync(Cancel), StringComparison.Ordinal);
        Assert.Equal(6, (await process.WaitAsync(Cancel)).Code);
    }

    [Fact]
    public async Task Terminal_CannotBeResizedWhereThereIsNone()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("sleep 609"), Cancel);

        await Assert.ThrowsAsync<InvalidOperationException>(() => process.ResizeAsync(new TerminalSize(80, 24), Cancel));
        await Assert.ThrowsAsync<ArgumentException>(() => process.ResizeAsync(new TerminalSize(0, 24), Cancel));
    }

    [Fact]
    public async Task Kill_EndsTheProgramWithItsDescendants()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("setsid sleep 610 & echo ready; sleep 611; true"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        await process.KillAsync(Cancel);

        Assert.Equal(128 + 9, (await process.WaitAsync(Cancel)).Code);
        await process.KillAsync(Cancel);
        await WaitUntilAsync(async () => !await IsRunningAsync(sandbox, "sleep 61[01]"), "the tree is gone");
    }

    [Fact]
    public async Task Forward_CarriesManyOpenConnectionsAtOnce()
    {
        var sandbox = await Provider.CreateAsync(WithForwards(Spec(), out var tools), Cancel);
        await using var first = new EchoServer(await ModelSocketAsync(sandbox), "model");
        await using var second = new EchoServer(tools, "tools");
        await sandbox.StartAsync(Cancel);

        // All are open before the first says anything.
        await using var process = await sandbox.ExecAsync(
            Some.Shell(
                "exec perl -MIO::Socket::INET -e \"$2\" \"$1\"",
                $"{ParallelForwards}",
                """
                my @s = map { IO::Socket::INET->new(PeerAddr => "127.0.0.1", PeerPort => 8001) or die } 1 .. $ARGV[0];
                for my $i (0 .. $#s) { syswrite $s[$i], $i; shutdown $s[$i], 1 }
                for my $s (@s) { while (sysread($s, my $b, 65536)) { print $b } print "\n" }
                """) with { Timeout = TimeSpan.FromMinutes(5) },
            Cancel);
        using var reader = new StreamReader(process.StandardOutput);

        Assert.Equal(string.Concat(Enumerable.Range(0, ParallelForwards).Select(number => $"model:{number}\n")), await reader.ReadToEndAsync(Cancel));
    }

    [Fact]
    public async Task Connect_ReachesAPortOfTheGuestAndKeepsItsHalves()
    {
        var sandbox = await StartedAsync();
        await using var server = await sandbox.ExecAsync(
            Some.Shell("exec perl -MIO::Socket::INET -e \"$1\"", """
                my $l = IO::Socket::INET->new(Listen => 5, LocalAddr => "127.0.0.1", LocalPort => 4711, ReuseAddr => 1) or die;
                $| = 1; print "ready\n";
                while (my $c = $l->accept) { my $n = 0; while (sysread($c, my $b, 65536)) { $n += length $b } syswrite $c, "got $n"; close $c }
                """),
            Cancel);
        using var reader = new StreamReader(server.StandardOutput);
        Assert.Equal("ready", await reader.ReadLineAsync(Cancel));

        foreach (var size in (int[])[0, 5, 3_000_000])
        {
            await using var connection = await sandbox.ConnectAsync(4711, Cancel);
            await connection.WriteAsync(new byte[size], Cancel);
            await connection.EndWritingAsync(Cancel);
            using var answer = new StreamReader(connection);
            Assert.Equal($"got {size}", await answer.ReadToEndAsync(Cancel));
        }

        var refused = await Assert.ThrowsAsync<GjollException>(() => sandbox.ConnectAsync(4712, Cancel));
        Assert.True(refused.IsTransient);
    }

    [Fact]
    public async Task Health_IsTheGuestsWord()
    {
        var sandbox = await StartedAsync();

        var health = await sandbox.HealthAsync(Cancel);

        Assert.NotEmpty(health.AgentVersion);
        Assert.True(health.MemoryAvailable > 0);
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        await Assert.ThrowsAsync<GjollException>(() => sandbox.HealthAsync(Cancel));
    }

    [Fact]
    public async Task Kept_IsListedAndRefusedTwiceAndForgottenWhenAllIsTaken()
    {
        var sandbox = await StartedAsync();
        var spec = Some.Shell("echo kept; exit 4") with { Id = "build.1" };
        var process = await sandbox.ExecAsync(spec, Cancel);

        await Assert.ThrowsAsync<GjollException>(() => sandbox.ExecAsync(spec, Cancel));
        Assert.Equal("build.1", Assert.Single(await sandbox.ListProgramsAsync(Cancel)).Id);
        Assert.Equal(4, (await process.WaitAsync(Cancel)).Code);
        await process.DisposeAsync();
        Assert.Equal(new ExitStatus(4, ExitCause.Exited), Assert.Single(await sandbox.ListProgramsAsync(Cancel)).Exit);

        var again = (await sandbox.AttachAsync("build.1", 0, 0, Cancel))!;
        var text = new byte[5];
        await again.StandardOutput.ReadExactlyAsync(text, Cancel);
        Assert.Equal("kept\n"u8.ToArray(), text);
        Assert.Equal(4, (await again.WaitAsync(Cancel)).Code);
        Assert.Equal(0, await again.StandardOutput.ReadAtLeastAsync(text, 1, throwOnEndOfStream: false, Cancel));
        Assert.Equal(0, await again.StandardError.ReadAtLeastAsync(text, 1, throwOnEndOfStream: false, Cancel));
        await again.AcknowledgeAsync(5, 0, Cancel);
        await again.DisposeAsync();

        Assert.Empty(await sandbox.ListProgramsAsync(Cancel));
        Assert.Null(await sandbox.AttachAsync("build.1", 0, 0, Cancel));
        await using var anew = await sandbox.ExecAsync(spec, Cancel);
        Assert.Equal(4, (await anew.WaitAsync(Cancel)).Code);
    }

    [Fact]
    public async Task Kept_WaitsWhenNobodyAcknowledges()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("head -c 3000000 /dev/zero; echo done >&2") with { Id = "much" }, Cancel);
        var errors = new StreamReader(process.StandardError).ReadLineAsync(Cancel).AsTask();
        var buffer = new byte[64 * 1024];
        long total = 0;

        while (total < 3_000_000)
        {
            total += await process.StandardOutput.ReadAsync(buffer, Cancel);
            Assert.Equal(total, process.OutputOffset);
            Assert.True(total > 2_000_000 || !errors.IsCompleted);
            await process.AcknowledgeAsync(total, 0, Cancel);
        }

        Assert.Equal("done", await errors);
        await Assert.ThrowsAsync<ArgumentOutOfRangeException>(() => process.AcknowledgeAsync(total + 1, 0, Cancel));
    }

    [Fact]
    public async Task Kept_LosesAndDoublesNothingWhenTheWardenIsKilled()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Numbers("numbers"), Cancel);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var kills = 0;

        await ReadAsync(process, 0, async (bytes, total) =>
        {
            hash.AppendData(bytes.Span);
            if (total > (kills + 1) * 400_000 && kills < 3)
            {
                kills++;
                await KillWardenAsync(sandbox);
            }

            return true;
        });

        Assert.Equal(3, kills);
        Assert.Equal(NumbersHash(), Convert.ToHexStringLower(hash.GetHashAndReset()));
        Assert.Equal(0, (await process.WaitAsync(Cancel)).Code);
    }

    [Fact]
    public async Task Program_SaysThatItWasLostWhenTheWardenIsKilledAndTheNextRuns()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(Some.Shell("echo up; exec sleep 612"), Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        await KillWardenAsync(sandbox);

        Assert.True((await Assert.ThrowsAsync<GjollException>(() => process.WaitAsync(Cancel))).IsTransient);
        Assert.Equal("next\n", await OutputAsync(sandbox, "echo next"));
        await WaitUntilAsync(async () => !await IsRunningAsync(sandbox, "sleep 612"), "the program is gone");
    }

    [Fact]
    public async Task Kept_LosesAndDoublesNothingWhenTheHostProcessIsKilled()
    {
        var stored = Path.Combine(Folder, "stored");
        var sandbox = await StartedAsync(Spec() with { Name = ChildHost.Name });
        using (var child = ChildHost.Start(ChildHost.Tail, Folder, ChildProvider))
        {
            // It stores what it reads, acknowledges what it stored, and is killed in the middle of it.
            await TestHost.WaitUntilAsync(() => File.Exists(stored) && new FileInfo(stored).Length > 500_000, "the child has stored something");
            child.Kill();
            await child.WaitForExitAsync(Cancel);
        }

        var offset = new FileInfo(stored).Length;
        Assert.InRange(offset, 500_000, NumbersLength() - 1);
        await using var process = (await sandbox.AttachAsync("numbers", offset, 0, Cancel))!;
        await using (var file = new FileStream(stored, FileMode.Append))
        {
            await ReadAsync(process, offset, async (bytes, _) =>
            {
                await file.WriteAsync(bytes, Cancel);
                return true;
            });
        }

        Assert.Equal(NumbersHash(), Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(stored, Cancel))));
        Assert.Equal(0, (await process.WaitAsync(Cancel)).Code);
    }

    private async Task KillWardenAsync(ISandbox sandbox)
    {
        foreach (var id in TestHost.Processes().Where(id => TestHost.CommandOf(id).Contains(ControlSocket(sandbox.Name))))
        {
            await TestHost.RunAsync("kill", "-9", $"{id}");
        }
    }

    /// <summary>A kept program whose every byte of output is known.</summary>
    internal static ExecSpec Numbers(string id) => Some.Shell($"exec seq 1 {LastNumber}") with { Id = id, Timeout = TimeSpan.FromMinutes(10) };

    /// <summary>Reads and acknowledges until the end, or until the reader has enough.</summary>
    internal static async Task ReadAsync(IGuestProcess process, long offset, Func<ReadOnlyMemory<byte>, long, Task<bool>> take)
    {
        var buffer = new byte[32 * 1024];
        int read;
        while ((read = await process.StandardOutput.ReadAsync(buffer, Cancel)) > 0)
        {
            offset += read;
            Assert.Equal(offset, process.OutputOffset);
            if (!await take(buffer.AsMemory(0, read), offset))
            {
                return;
            }

            await process.AcknowledgeAsync(offset, 0, Cancel);
        }
    }

    private const int LastNumber = 400_000;

    private static byte[] AllNumbers() => System.Text.Encoding.ASCII.GetBytes(string.Concat(Enumerable.Range(1, LastNumber).Select(number => $"{number}\n")));

    private static long NumbersLength() => AllNumbers().Length;

    private static string NumbersHash() => Convert.ToHexStringLower(SHA256.HashData(AllNumbers()));

    /// <summary>Real bytes, and none of them kept.</summary>
    private sealed class Zeros(long length) : Stream
    {
        private long _left = length;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var read = (int)Math.Min(count, _left);
            Array.Clear(buffer, offset, read);
            _left -= read;
            return read;
        }

        public override void Flush() => throw new UnreachableException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
