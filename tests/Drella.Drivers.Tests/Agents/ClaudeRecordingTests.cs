using Drella.Core.Agents;
using Drella.Core.Sandboxes;
using Drella.Drivers.Agents.ClaudeCode;

namespace Drella.Drivers.Tests.Agents;

public sealed class ClaudeRecordingTests
{
    public static TheoryData<string, int, AgentOutcome> Expected()
    {
        var rows = new TheoryData<string, int, AgentOutcome>();
        foreach (var cells in File.ReadLines(Path.Combine(Recordings.DataFolder, "expected.tsv")).Skip(1).Select(line => line.Split('\t')))
        {
            rows.Add(cells[0], int.Parse(cells[1], System.Globalization.CultureInfo.InvariantCulture), Enum.Parse<AgentOutcome>(cells[2]));
        }

        return rows;
    }

    [Theory]
    [MemberData(nameof(Expected))]
    public void Recording_EndsAsTheRunDid(string name, int exitCode, AgentOutcome outcome)
    {
        var (events, result) = Play(Recordings.Claude[name], new GuestExit(exitCode, null));

        Assert.Equal(outcome, result.Outcome);
        Assert.DoesNotContain(events, happened => happened is AgentEvent.Unparsed);
        Assert.All(events, happened => Assert.Equal(happened, AgentEventJson.Read(AgentEventJson.Write(happened)), Same));
    }

    [Fact]
    public void Table_CoversEveryRecording() =>
        Assert.Equal(Recordings.Claude.Keys.Order(), Expected().Select(row => row.Data.Item1).Order());

    [Fact]
    public void ForeignStreams_NeitherThrowNorComplete()
    {
        Assert.NotEmpty(Recordings.Foreign);
        Assert.All(Recordings.Foreign, recording =>
            Assert.NotEqual(AgentOutcome.Completed, Play(recording.Value, new GuestExit(0, null)).Result.Outcome));
    }

    [Fact]
    public void Basic_TellsTheWholeStory()
    {
        var (events, result) = Play(Recordings.Claude["basic"], new GuestExit(0, null));

        Assert.Equal("All done.", result.Text);
        var session = Assert.Single(events.OfType<AgentEvent.Session>());
        Assert.Equal("2.1.330", session.Version);
        Assert.Equal([new ToolServerState("factory", "connected")], session.ToolServers);
        var calls = events.OfType<AgentEvent.ToolCall>().ToList();
        Assert.Equal(calls.Select(call => call.CallId).Order(), events.OfType<AgentEvent.ToolResult>().Select(answer => answer.CallId).Order());
        Assert.NotEmpty(calls);
        Assert.Contains(events, happened => happened is AgentEvent.Usage { Input: > 0, Output: > 0 });
        Assert.Equal(new AgentEvent.TurnEnded(false, "completed", "All done."), events[^1]);
    }

    [Fact]
    public void Retries_Permissions_Compactions_AndSubagentsAreSeen()
    {
        Assert.Contains(Events("e529f"), happened => happened is AgentEvent.Retry { Attempt: 1, Status: 529 });
        Assert.Contains(Events("e529f"), happened => happened is AgentEvent.Error { Class: "server_error" });
        Assert.Contains(Events("perm0"), happened => happened is AgentEvent.Permission { Tool: "Write" });
        Assert.Contains(new AgentEvent.Compaction("auto"), Events("comp"));
        Assert.Contains(new AgentEvent.InputTaken("go"), Events("full"));
        Assert.Contains(Events("sub"), happened => happened is AgentEvent.ToolCall { Subagent: not null });
    }

    [Fact]
    public void DeadToolServer_IsNamedInTheDetail() =>
        Assert.StartsWith("tools unavailable: factory is 'failed'", Play(Recordings.Claude["mcpdown"], new GuestExit(0, null)).Result.Detail, StringComparison.Ordinal);

    internal static (List<AgentEvent> Events, AgentResult Result) Play(byte[] recording, GuestExit exit)
    {
        var stream = new ClaudeCodeAdapter().OpenStream();
        var events = Recordings.Lines(recording).SelectMany(line => stream.Read(line)).ToList();
        return (events, stream.Finish(exit, ""));
    }

    private static List<AgentEvent> Events(string name) => Play(Recordings.Claude[name], new GuestExit(0, null)).Events;

    private static bool Same(AgentEvent one, AgentEvent other) => AgentEventJson.Write(one) == AgentEventJson.Write(other);
}
