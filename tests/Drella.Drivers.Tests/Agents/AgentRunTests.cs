using System.Text;
using System.Threading.Channels;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;
using Drella.Drivers.Agents.ClaudeCode;
using Drella.Testing;
using Drella.Testing.Fakes;

namespace Drella.Drivers.Tests.Agents;

public sealed class AgentRunTests
{
    private const string Init = """{"type":"system","subtype":"init","session_id":"s","model":"m","claude_code_version":"v","mcp_servers":[]}""";
    private const string Good = """{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","result":"fine"}""";
    private const string Aborted = """{"type":"result","subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_tools"}""";

    private static readonly AgentRunLimits Limits = new()
    {
        Deadline = TimeSpan.FromHours(1),
        IdleTimeout = TimeSpan.FromMinutes(10),
        Grace = TimeSpan.FromSeconds(5),
    };

    private readonly FakeTime _time = new();
    private readonly MemoryBlobWriter _transcript = new();
    private readonly List<AgentEvent> _events = [];
    private readonly Channel<AgentEvent> _seen = Channel.CreateUnbounded<AgentEvent>();
    private readonly Channel<AgentControl> _control = Channel.CreateUnbounded<AgentControl>();
    private DateTimeOffset? _lastModel;
    private Func<AgentEvent, ValueTask>? _onEvent;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Run_CompletesAndKeepsEveryByte()
    {
        byte[] said = [.. Encoding.UTF8.GetBytes(Init + "\r\n\n"), 0xFF, 0x00, (byte)'\n', .. Encoding.UTF8.GetBytes(Good)];
        var sandbox = new FakeSandbox(async guest =>
        {
            Assert.Contains("\"go\"", await guest.ReadLineAsync(), StringComparison.Ordinal);
            await guest.Output.WriteAsync(said);
            return new GuestExit(0, null);
        });

        var result = await StartAsync(sandbox);

        Assert.Equal((AgentOutcome.Completed, "fine"), (result.Outcome, result.Text));
        Assert.Equal(said, _transcript.ToArray());
        Assert.True(_transcript.IsFlushed);
        Assert.Equal([typeof(AgentEvent.Session), typeof(AgentEvent.Unparsed), typeof(AgentEvent.TurnEnded)], _events.Select(e => e.GetType()));
        Assert.Contains("/home/agent/.drella/mcp.json", sandbox.Files.Keys);
    }

    [Fact]
    public async Task Input_EndsOnceTheResultCame()
    {
        var result = await StartAsync(new FakeSandbox(async guest =>
        {
            await guest.WriteLineAsync(Good);
            await guest.ReadToEndAsync();
            return new GuestExit(0, null);
        }));

        Assert.Equal(AgentOutcome.Completed, result.Outcome);
    }

    [Fact]
    public async Task Exit0_WithoutResultIsNoResult() =>
        Assert.Equal(AgentOutcome.NoResult, (await StartAsync(Says(Init))).Outcome);

    [Fact]
    public async Task Tail_ThatIsCutIsUnparsedAndKept()
    {
        var result = await StartAsync(new FakeSandbox(async guest =>
        {
            await guest.Output.WriteAsync(Encoding.UTF8.GetBytes(Init + "\n" + Good[..40]));
            return new GuestExit(0, null);
        }));

        Assert.Equal(AgentOutcome.NoResult, result.Outcome);
        Assert.IsType<AgentEvent.Unparsed>(_events[^1]);
        Assert.Equal(Init.Length + 1 + 40, _transcript.Length);
    }

    [Fact]
    public async Task Line_Of50MegabytesIsKeptRawAndCutForTheParser()
    {
        var part = Encoding.ASCII.GetBytes(new string('x', 1 << 20));
        var result = await StartAsync(new FakeSandbox(async guest =>
        {
            for (var i = 0; i < 50; i++)
            {
                await guest.Output.WriteAsync(part);
            }

            await guest.WriteLineAsync("");
            await guest.WriteLineAsync(Good);
            return new GuestExit(0, null);
        }));

        Assert.Equal(AgentOutcome.Completed, result.Outcome);
        Assert.Equal((50L << 20) + 2 + Good.Length, _transcript.Length);
        Assert.Contains(new AgentEvent.Notice($"drella/line-cut {50 << 20}"), _events);
    }

    [Fact]
    public async Task Idle_EndsARunThatSaysNothingAndAsksNoModel()
    {
        var sandbox = Hangs();
        var run = StartAsync(sandbox);
        await SeenAsync<AgentEvent.Session>();

        _time.Advance(Limits.IdleTimeout - TimeSpan.FromSeconds(1));
        Assert.False(run.IsCompleted);
        Assert.False(sandbox.Guest!.Terminated.IsCompleted);

        var result = await _time.RunAsync(run, Cancelled);
        Assert.Equal(AgentOutcome.TimedOut, result.Outcome);
        Assert.StartsWith("idle", result.Detail, StringComparison.Ordinal);
        Assert.True(sandbox.Guest.Killed.IsCompleted);
    }

    [Fact]
    public async Task Idle_IsFedByModelTraffic()
    {
        var run = StartAsync(Hangs());
        await SeenAsync<AgentEvent.Session>();
        for (var i = 0; i < 4; i++)
        {
            _time.Advance(Limits.IdleTimeout - TimeSpan.FromSeconds(1));
            _lastModel = _time.GetUtcNow();
        }

        Assert.False(run.IsCompleted);
        var before = _time.GetUtcNow();
        var result = await _time.RunAsync(run, Cancelled);
        Assert.StartsWith("idle", result.Detail, StringComparison.Ordinal);
        Assert.True(_time.GetUtcNow() >= before + Limits.IdleTimeout);
    }

    [Fact]
    public async Task Idle_IsFedByOutput()
    {
        var next = new SemaphoreSlim(0);
        var run = StartAsync(new FakeSandbox(async guest =>
        {
            for (var i = 0; i < 4; i++)
            {
                await guest.WriteLineAsync("""{"type":"tick"}""");
                await next.WaitAsync(Cancelled);
            }

            await guest.WriteLineAsync(Good);
            return new GuestExit(0, null);
        }));
        for (var i = 0; i < 4; i++)
        {
            await SeenAsync<AgentEvent.Notice>();
            await _time.UntilTimersAsync(2, Cancelled);
            _time.Advance(Limits.IdleTimeout - TimeSpan.FromSeconds(1));
            next.Release();
        }

        Assert.Equal(AgentOutcome.Completed, (await run).Outcome);
    }

    [Fact]
    public async Task Idle_DoesNotCountWhileWeHoldTheOutputUp()
    {
        var release = new TaskCompletionSource();
        var held = new TaskCompletionSource();
        _onEvent = async happened =>
        {
            if (happened is AgentEvent.Session)
            {
                held.SetResult();
                await release.Task;
            }
        };
        var run = StartAsync(Says(Init, Good));
        await held.Task;
        _time.Advance(Limits.IdleTimeout * 3);
        release.SetResult();

        Assert.Equal(AgentOutcome.Completed, (await run).Outcome);
    }

    [Fact]
    public async Task Deadline_EndsEvenABusyRun()
    {
        _lastModel = DateTimeOffset.MaxValue;
        var run = StartAsync(Hangs());
        await SeenAsync<AgentEvent.Session>();
        _time.Advance(Limits.Deadline);

        var result = await _time.RunAsync(run, Cancelled);
        Assert.Equal(AgentOutcome.TimedOut, result.Outcome);
        Assert.StartsWith("deadline", result.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Interrupt_LetsTheAgentEndItsTurnItself()
    {
        FakeGuest? told = null;
        var run = StartAsync(new FakeSandbox(async guest =>
        {
            told = guest;
            await guest.ReadLineAsync();
            await guest.WriteLineAsync(Init);
            Assert.Contains("\"interrupt\"", await guest.ReadLineAsync(), StringComparison.Ordinal);
            await guest.WriteLineAsync(Aborted);
            await guest.ReadToEndAsync();
            return new GuestExit(0, null);
        }));
        await SeenAsync<AgentEvent.Session>();
        await _control.Writer.WriteAsync(new AgentControl.Interrupt(), Cancelled);

        Assert.Equal(AgentOutcome.Interrupted, (await run).Outcome);
        Assert.False(told!.Terminated.IsCompleted);
    }

    [Fact]
    public async Task Cancellation_InterruptsThenTerminatesThenKills()
    {
        using var cancel = new CancellationTokenSource();
        var sandbox = Hangs();
        var run = StartAsync(sandbox, cancel.Token);
        await SeenAsync<AgentEvent.Session>();
        await cancel.CancelAsync();

        var result = await _time.RunAsync(run, Cancelled);
        Assert.Equal(AgentOutcome.Interrupted, result.Outcome);
        Assert.True(sandbox.Guest!.Terminated.IsCompleted);
        Assert.True(sandbox.Guest.Killed.IsCompleted);
        Assert.Contains("\"interrupt\"", await sandbox.Guest.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Steer_ReachesTheAgentAndIsEchoed()
    {
        var run = StartAsync(new FakeSandbox(async guest =>
        {
            await guest.ReadLineAsync();
            await guest.WriteLineAsync(Init);
            var steer = await guest.ReadLineAsync();
            await guest.WriteLineAsync(steer![..^1] + ",\"isReplay\":true}");
            await guest.WriteLineAsync(Good);
            return new GuestExit(0, null);
        }));
        await SeenAsync<AgentEvent.Session>();
        await _control.Writer.WriteAsync(new AgentControl.Steer("look\nhere"), Cancelled);

        Assert.Equal(AgentOutcome.Completed, (await run).Outcome);
        Assert.Contains(new AgentEvent.InputTaken("look\nhere"), _events);
    }

    [Fact]
    public async Task Lingerer_IsEndedAfterTheGraceAndStillCompleted()
    {
        var sandbox = new FakeSandbox(async guest =>
        {
            await guest.WriteLineAsync(Good);
            await guest.Terminated;
            return new GuestExit(143, null);
        });
        var run = StartAsync(sandbox);
        await SeenAsync<AgentEvent.TurnEnded>();
        await _time.UntilTimersAsync(3, Cancelled);

        Assert.Equal(AgentOutcome.Completed, (await _time.RunAsync(run, Cancelled)).Outcome);
        Assert.True(_time.GetUtcNow() - new FakeTime().GetUtcNow() >= Limits.Grace);
    }

    [Fact]
    public async Task Turn_QueuedBehindTheResultIsNotCutOff()
    {
        var go = new TaskCompletionSource();
        var run = StartAsync(new FakeSandbox(async guest =>
        {
            await guest.WriteLineAsync(Good);
            await guest.WriteLineAsync(Init);
            await guest.WriteLineAsync("""{"type":"tick"}""");
            await go.Task;
            await guest.WriteLineAsync(Good);
            return new GuestExit(0, null);
        }));
        await SeenAsync<AgentEvent.Notice>();
        _time.Advance(Limits.Grace * 3);
        go.SetResult();

        Assert.Equal(AgentOutcome.Completed, (await run).Outcome);
        Assert.Equal(2, _events.OfType<AgentEvent.TurnEnded>().Count());
    }

    [Fact]
    public async Task OutputHeldOpenAfterTheExitDoesNotHoldTheRun()
    {
        var run = StartAsync(new FakeSandbox(async guest =>
        {
            guest.KeepOutputOpen = true;
            await guest.WriteLineAsync(Good);
            return new GuestExit(0, null);
        }));
        await SeenAsync<AgentEvent.TurnEnded>();
        await _time.UntilTimersAsync(3, Cancelled);

        Assert.Equal(AgentOutcome.Completed, (await _time.RunAsync(run, Cancelled)).Outcome);
    }

    [Fact]
    public async Task Flood_IsHeldBackAndCounted()
    {
        await StartAsync(Says([.. Enumerable.Repeat("""{"type":"flood"}""", 10_000), Good]));

        Assert.InRange(_events.Count, 2000, 2010);
        Assert.Contains(_events, happened => happened is AgentEvent.TurnEnded);
        Assert.Contains(new AgentEvent.Notice("drella/events-held-back 8000"), _events);
    }

    [Fact]
    public async Task SlowConsumer_SlowsTheGuest()
    {
        var written = 0;
        var release = new TaskCompletionSource();
        _transcript.BeforeWrite = () => release.Task;
        var line = new string('x', 1023);
        var full = new TaskCompletionSource();
        var run = StartAsync(new FakeSandbox(async guest =>
        {
            for (var i = 0; i < 1000; i++)
            {
                var write = guest.WriteLineAsync(line);
                if (!write.IsCompleted)
                {
                    full.TrySetResult();
                }

                await write;
                written++;
            }

            return new GuestExit(0, null);
        }));
        await full.Task.WaitAsync(Cancelled);
        Assert.InRange(Volatile.Read(ref written), 1, 200);
        release.SetResult();
        await run;

        Assert.Equal(1024 * 1000, _transcript.Length);
    }

    [Fact]
    public async Task Transcript_ThatFailsEndsTheRunAndTheAgent()
    {
        _transcript.BeforeWrite = () => throw new Core.DriverException(true, "disk full");
        var sandbox = Hangs();

        var failure = await Assert.ThrowsAsync<Core.DriverException>(() => StartAsync(sandbox));
        Assert.Equal("disk full", failure.Message);
        Assert.True(sandbox.Guest!.Killed.IsCompleted);
    }

    private static FakeSandbox Says(params string[] lines) => new(async guest =>
    {
        foreach (var line in lines)
        {
            await guest.WriteLineAsync(line);
        }

        return new GuestExit(0, null);
    });

    private static FakeSandbox Hangs() => new(async guest =>
    {
        await guest.ReadLineAsync();
        await guest.WriteLineAsync(Init);
        await guest.Killed;
        return new GuestExit(null, 9);
    });

    private Task<AgentResult> StartAsync(FakeSandbox sandbox, CancellationToken cancellationToken = default) => AgentRun.RunAsync(
        sandbox,
        new ClaudeCodeAdapter(),
        SomeOrder.With(sandbox.Home, sandbox.AgentFolder("claude-code")),
        new AgentRunPorts
        {
            Transcript = _transcript,
            OnEvent = async happened =>
            {
                _events.Add(happened);
                await _seen.Writer.WriteAsync(happened);
                await (_onEvent?.Invoke(happened) ?? ValueTask.CompletedTask);
            },
            Control = _control.Reader,
            LastModelActivity = () => _lastModel,
            Time = _time,
            Limits = Limits,
        },
        cancellationToken);

    private async Task SeenAsync<T>()
    {
        while (await _seen.Reader.ReadAsync(Cancelled) is not T)
        {
        }
    }
}
