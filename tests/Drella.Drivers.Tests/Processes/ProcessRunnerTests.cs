using System.Globalization;
using System.Text;
using Drella.Core;
using Drella.Drivers.Processes;

namespace Drella.Drivers.Tests.Processes;

public sealed class ProcessRunnerTests
{
    private readonly ProcessRunner _runner = new(TimeProvider.System);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Arguments_AreNotInterpreted()
    {
        var result = await _runner.RunCheckedAsync(new ProcessSpec { Program = "printf", Arguments = ["%s|", "$(id) ; `x`", "", "a\nb\""] }, Cancelled);

        Assert.Equal("$(id) ; `x`||a\nb\"|", result.Text);
    }

    [Fact]
    public async Task Environment_IsTheAllowListAndWhatTheSpecSays()
    {
        var spec = new ProcessSpec { Program = "env", Arguments = [], Environment = new Dictionary<string, string> { ["GIT_DIR"] = "x" } };

        var names = (await _runner.RunCheckedAsync(spec, Cancelled)).Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('=')[0]);

        Assert.Equal(["DRELLA_PROCESS", "GIT_DIR", "LANG", "PATH"], names.Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Failure_CarriesTheEndOfTheErrorOutputWithoutControlCharacters()
    {
        var failure = await Assert.ThrowsAsync<DriverException>(() =>
            _runner.RunCheckedAsync(Shell("head -c 100000 /dev/zero | tr '\\0' x >&2; printf '\\033[2Jlast words' >&2; exit 3"), Cancelled));

        Assert.False(failure.IsTransient);
        Assert.Contains("code 3", failure.Message, StringComparison.Ordinal);
        Assert.EndsWith("\uFFFD[2Jlast words", failure.Message, StringComparison.Ordinal);
        Assert.InRange(failure.Message.Length, 1000, 9000);
    }

    [Fact]
    public async Task Input_IsFedWhileOutputIsRead()
    {
        var bytes = Encoding.ASCII.GetBytes(new string('y', 5_000_000));

        var result = await _runner.RunCheckedAsync(new ProcessSpec { Program = "cat", Arguments = [], Input = new MemoryStream(bytes) }, Cancelled);

        Assert.True(bytes.AsSpan().SequenceEqual(result.Output.Span));
    }

    [Fact]
    public async Task Input_ThatIsNotReadHarmsNobody()
    {
        var spec = new ProcessSpec { Program = "true", Arguments = [], Input = new MemoryStream(new byte[5_000_000]) };

        Assert.True((await _runner.RunAsync(spec, Cancelled)).IsSuccess);
    }

    [Fact]
    public async Task Overflow_EndsTheProcess()
    {
        var failure = await Assert.ThrowsAsync<DriverException>(() =>
            _runner.RunAsync(new ProcessSpec { Program = "cat", Arguments = ["/dev/zero"], MaxOutput = 1000 }, Cancelled));

        Assert.Equal(DriverFailure.Exhausted, failure.Failure);
    }

    [Fact]
    public async Task Timeout_EndsTheWholeTree()
    {
        var file = Path.GetTempFileName();
        try
        {
            // Both children ignore SIGTERM; the second has left the tree and the session. The deadline passes when both are up.
            var deadline = new HeldDeadline(TimeSpan.FromMinutes(5));
            var spec = Shell("(trap '' TERM; exec tail -f /dev/null) & echo $! >> $FILE; setsid sh -c 'sh -c \"trap \\\"\\\" TERM; echo \\$\\$ >> $FILE; echo up; exec tail -f /dev/null\" &' ; wait") with
            {
                Timeout = deadline.Length,
                Grace = TimeSpan.FromMilliseconds(100),
                Environment = new Dictionary<string, string> { ["FILE"] = file },
                Output = new SignalStream(deadline.PassAsync),
            };

            var failure = await Assert.ThrowsAsync<DriverException>(() => new ProcessRunner(deadline).RunAsync(spec, Cancelled));

            Assert.True(failure.IsTransient);
            var ids = (await File.ReadAllLinesAsync(file, Cancelled)).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).ToList();
            Assert.Equal(2, ids.Count);
            Assert.All(ids, id => Assert.False(IsAlive(id), $"process {id} lives"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Cancellation_EndsTheProcessAndFlies()
    {
        using var cancel = new CancellationTokenSource();
        var output = new SignalStream(cancel.CancelAsync);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            _runner.RunAsync(Shell("echo up; exec tail -f /dev/null") with { Output = output }, cancel.Token));
    }

    [Fact]
    public async Task Program_ThatIsAbsentIsNamed()
    {
        var failure = await Assert.ThrowsAsync<DriverException>(() =>
            _runner.RunAsync(new ProcessSpec { Program = "no-such-program", Arguments = [] }, Cancelled));

        Assert.Equal(DriverFailure.NotFoundOrNoAccess, failure.Failure);
        Assert.Contains("no-such-program", failure.Message, StringComparison.Ordinal);
    }

    private static ProcessSpec Shell(string script) => new() { Program = "sh", Arguments = ["-c", script] };

    // A killed process that nobody has reaped yet has an empty command line.
    private static bool IsAlive(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Length > 0;
        }
        catch (IOException)
        {
            return false;
        }
    }

    private sealed class SignalStream(Func<Task> signal) : MemoryStream
    {
        public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) => await signal();
    }

    /// <summary>The system's time, but timers of one length pass when the test says so.</summary>
    private sealed class HeldDeadline(TimeSpan length) : TimeProvider
    {
        private Action? _pass;

        public TimeSpan Length => length;

        public Task PassAsync() => Task.Run(() => _pass?.Invoke());

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            if (dueTime != length)
            {
                return base.CreateTimer(callback, state, dueTime, period);
            }

            _pass = () => callback(state);
            return base.CreateTimer(static _ => { }, null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        }
    }
}
