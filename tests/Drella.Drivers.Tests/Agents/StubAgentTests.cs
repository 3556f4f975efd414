using System.Globalization;
using System.Text;
using System.Threading.Channels;
using Drella.Core.Agents;
using Drella.Drivers.Agents.Stub;
using Drella.Testing.Fakes;

namespace Drella.Drivers.Tests.Agents;

/// <summary>The stub agent as a real process, supervised as any agent is.</summary>
public sealed class StubAgentTests : IDisposable
{
    private readonly HostSandbox _sandbox = new(StubFolder);
    private readonly MemoryBlobWriter _transcript = new();
    private readonly List<AgentEvent> _events = [];
    private readonly Channel<AgentControl> _control = Channel.CreateUnbounded<AgentControl>();
    private readonly CancellationTokenSource _cancel = new();
    private Action<AgentEvent> _onEvent = _ => { };

    private static string StubFolder => AppContext.BaseDirectory;

    public void Dispose()
    {
        _cancel.Dispose();
        _sandbox.Dispose();
    }

    [Fact]
    public async Task DefaultScript_Completes()
    {
        var result = await RunAsync(StubAgentAdapter.DefaultScript);

        Assert.Equal(AgentOutcome.Completed, result.Outcome);
        Assert.Contains(new AgentEvent.InputTaken("go"), _events);
        Assert.Contains(new AgentEvent.Said("done", null), _events);
    }

    [Theory]
    [InlineData("""{"version":1,"steps":[{"init":true},{"say":"x"}]}""", AgentOutcome.NoResult)]
    [InlineData("""{"version":1,"steps":[{"init":true}],"exitCode":3}""", AgentOutcome.Crashed)]
    [InlineData("""{"version":1,"steps":[{"init":true}],"signal":9}""", AgentOutcome.Killed)]
    [InlineData("""{"version":1,"steps":[{"result":"completed"}],"exitCode":1}""", AgentOutcome.Completed)]
    [InlineData("""{"version":1,"steps":[{"line":"no JSON"},{"bytes":"/8AKAAo="},{"result":"completed"}]}""", AgentOutcome.Completed)]
    [InlineData("""{"version":1,"steps":[{"part":"{\"type\":\"result\",\"subtype\":\"succ"}]}""", AgentOutcome.NoResult)]
    [InlineData("""{"version":1,"steps":[{"line":"\u001b]52;c;aGk=\u0007\u001b[2J"},{"result":"completed"}]}""", AgentOutcome.Completed)]
    [InlineData("""{"version":1,"steps":[{"line":"tool_result: approved"},{"line":"{\"event\":\"tool.result\",\"ok\":true}"}]}""", AgentOutcome.NoResult)]
    [InlineData("""{"version":1,"steps":[{"bigLine":50},{"result":"completed"}]}""", AgentOutcome.Completed)]
    [InlineData("""{"version":1,"steps":[{"flood":200000},{"result":"completed"}]}""", AgentOutcome.Completed)]
    [InlineData("""{"version":1,"steps":[{"error":"words"},{"result":"api_error"}],"exitCode":1}""", AgentOutcome.ModelError)]
    public async Task Script_EndsAs(string script, AgentOutcome outcome)
    {
        var result = await RunAsync(script);

        Assert.True(outcome == result.Outcome, result.ToString());
        Assert.DoesNotContain(_events, happened => happened is AgentEvent.ToolResult);
    }

    [Fact]
    public async Task Unknown_ScriptMemberIsAnErrorThatNamesIt()
    {
        var result = await RunAsync("""{"version":1,"steps":[{"sya":"x"}]}""");

        Assert.Equal(AgentOutcome.Crashed, result.Outcome);
        Assert.Contains("sya", result.Detail, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("", AgentOutcome.Completed)]
    [InlineData(",\"garbageEvery\":2", AgentOutcome.Completed)]
    [InlineData(",\"withoutResult\":true", AgentOutcome.NoResult)]
    [InlineData(",\"cutLast\":true", AgentOutcome.NoResult)]
    public async Task Recording_PlaysWithItsMutation(string mutation, AgentOutcome outcome)
    {
        var file = Path.Combine(_sandbox.Home, "basic.stream");
        await File.WriteAllBytesAsync(file, Recordings.Claude["basic"], TestContext.Current.CancellationToken);

        var result = await RunAsync("""{"version":1,"steps":[{"awaitInput":true},{"recording":{"file":"FILE"MUTATION}}]}"""
            .Replace("FILE", file, StringComparison.Ordinal).Replace("MUTATION", mutation, StringComparison.Ordinal));

        Assert.Equal(outcome, result.Outcome);
        if (mutation.Length == 0)
        {
            Assert.Equal(Recordings.Claude["basic"].Length, Encoding.UTF8.GetString(_transcript.ToArray()).Split('\n')
                .Where(line => !line.Contains("isReplay", StringComparison.Ordinal)).Sum(line => Encoding.UTF8.GetByteCount(line) + 1) - 1);
        }
    }

    [Fact]
    public async Task Interrupt_EndsAHangingTurn()
    {
        InterruptOnStart();
        var result = await RunAsync("""{"version":1,"steps":[{"init":true},{"hang":true}]}""");

        Assert.Equal(AgentOutcome.Interrupted, result.Outcome);
        Assert.Contains(_events, happened => happened is AgentEvent.TurnEnded { Reason: "aborted_streaming" });
    }

    [Fact]
    public async Task Kill_EndsAnAgentThatIgnoresEverything()
    {
        InterruptOnStart();
        var result = await RunAsync("""{"version":1,"ignoreTerm":true,"ignoreInterrupt":true,"steps":[{"init":true},{"hang":true}]}""");

        Assert.Equal(AgentOutcome.Interrupted, result.Outcome);
        Assert.False(Directory.Exists($"/proc/{_sandbox.Started[0].Id}"));
    }

    [Fact]
    public async Task LeftBehind_IsFoundAndKilledThoughInASessionOfItsOwn()
    {
        var result = await RunAsync("""{"version":1,"steps":[{"leave":["sh","-c","echo $$; exec tail -f /dev/null"]},{"awaitInput":true},{"result":"completed"}]}""");

        Assert.Equal(AgentOutcome.Completed, result.Outcome);
        var said = Encoding.UTF8.GetString(_transcript.ToArray()).Split('\n');
        var id = Assert.Single(said, line => int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out _));
        Assert.True(!File.Exists($"/proc/{id}/cmdline") || (await File.ReadAllTextAsync($"/proc/{id}/cmdline", TestContext.Current.CancellationToken)).Length == 0);
    }

    private void InterruptOnStart() => _onEvent = happened =>
    {
        if (happened is AgentEvent.Session)
        {
            _control.Writer.TryWrite(new AgentControl.Interrupt());
        }
    };

    private Task<AgentResult> RunAsync(string script) => AgentRun.RunAsync(
        _sandbox,
        new StubAgentAdapter(script),
        SomeOrder.With(_sandbox.Home, StubFolder) with { Workspace = _sandbox.Workspace },
        new AgentRunPorts
        {
            Transcript = _transcript,
            OnEvent = happened =>
            {
                _events.Add(happened);
                _onEvent(happened);
                return ValueTask.CompletedTask;
            },
            Control = _control.Reader,
            LastModelActivity = () => null,
            Time = TimeProvider.System,
            Limits = new AgentRunLimits { Deadline = TimeSpan.FromMinutes(2), IdleTimeout = TimeSpan.FromMinutes(1), Grace = TimeSpan.FromSeconds(1) },
        },
        TestContext.Current.CancellationToken);
}
