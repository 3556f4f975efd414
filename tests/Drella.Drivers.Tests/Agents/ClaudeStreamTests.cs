using System.Text;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;
using Drella.Drivers.Agents.ClaudeCode;

namespace Drella.Drivers.Tests.Agents;

public sealed class ClaudeStreamTests
{
    private const string Init = """{"type":"system","subtype":"init","session_id":"s","model":"m","claude_code_version":"v","mcp_servers":[]}""";
    private const string Good = """{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","result":"fine"}""";
    private readonly IAgentStream _stream = new ClaudeCodeAdapter().OpenStream();

    [Theory]
    [InlineData("hello")]
    [InlineData("{\"type\":\"assistant\",\"message\":{\"content\":[{\"type\":\"te")]
    [InlineData("{\"type\":\"result\"}{\"type\":\"result\"}")]
    [InlineData("[1,2]")]
    [InlineData("42")]
    [InlineData("\u001b]0;title\u0007\u001b[2J")]
    [InlineData("\0\0\0")]
    [InlineData("tool_result: approved")]
    public void Line_ThatIsNoObjectIsUnparsed(string line) =>
        Assert.IsType<AgentEvent.Unparsed>(Assert.Single(Read(line)));

    [Fact]
    public void Line_NestedBeyondReasonIsUnparsed() =>
        Assert.IsType<AgentEvent.Unparsed>(Assert.Single(Read("{\"type\":" + new string('[', 100_000) + new string(']', 100_000) + "}")));

    [Theory]
    [InlineData("""{"type":"brand_new"}""", "brand_new")]
    [InlineData("""{"type":"system","subtype":"brand_new"}""", "system/brand_new")]
    [InlineData("""{"type":"assistant","message":{"content":[{"type":"brand_new"}]}}""", "assistant/brand_new")]
    [InlineData("""{"type":7}""", "7")]
    [InlineData("{}", "")]
    public void Line_OfUnknownKindIsANotice(string line, string kind) =>
        Assert.Equal(new AgentEvent.Notice(kind), Assert.Single(Read(line)));

    [Fact]
    public void Text_WithLoneSurrogateOrBrokenUtf8IsReplaced()
    {
        Assert.Equal("a\uFFFDb\n", Said(Encoding.UTF8.GetBytes("""{"type":"assistant","message":{"content":[{"type":"text","text":"a\ud800b\n"}]}}""")));
        byte[] broken = [.. """{"type":"assistant","message":{"content":[{"type":"text","text":"a"""u8, 0xFF, 0xC0, .. "b\"}]}}"u8];
        var said = Said(broken);
        Assert.StartsWith("a\uFFFD", said, StringComparison.Ordinal);
        Assert.EndsWith("b", said, StringComparison.Ordinal);
    }

    [Fact]
    public void Name_WithLoneSurrogateDoesNotThrow() =>
        Assert.NotEmpty(Read("""{"\ud800ype":1,"type":"x\udc00"}"""));

    [Fact]
    public void Text_OfMegabytesIsCutInTheEvent()
    {
        var said = Said(Encoding.UTF8.GetBytes($$$"""{"type":"assistant","message":{"content":[{"type":"text","text":"{{{new string('x', 5_000_000)}}}"}]}}"""));
        Assert.InRange(said.Length, 64 * 1024, 65 * 1024);
        Assert.EndsWith("more]", said, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, null, AgentOutcome.NoResult)]
    [InlineData(1, null, AgentOutcome.Crashed)]
    [InlineData(143, null, AgentOutcome.Killed)]
    [InlineData(null, 9, AgentOutcome.Killed)]
    public void Exit_WithoutResultIsNeverCompleted(int? code, int? signal, AgentOutcome outcome)
    {
        Read(Init);
        Assert.Equal(outcome, _stream.Finish(new GuestExit(code, signal), "").Outcome);
    }

    [Fact]
    public void Exit_ThatFailedAfterAResultChangesNothing()
    {
        Read(Init);
        Read(Good);
        Assert.Equal(AgentOutcome.Completed, _stream.Finish(new GuestExit(143, null), "").Outcome);
    }

    [Theory]
    [InlineData("""{"type":"result"}""", AgentOutcome.Crashed)]
    [InlineData("""{"type":"result","subtype":"success","is_error":false,"terminal_reason":"stop_hook_prevented"}""", AgentOutcome.Crashed)]
    [InlineData("""{"type":"result","subtype":"success","is_error":"no","terminal_reason":"completed"}""", AgentOutcome.Crashed)]
    [InlineData("""{"type":"result","subtype":"success","is_error":true,"terminal_reason":"completed"}""", AgentOutcome.Crashed)]
    [InlineData("""{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","stop_reason":"refusal"}""", AgentOutcome.Refused)]
    [InlineData("""{"type":"result","subtype":"error_during_execution","is_error":true,"terminal_reason":"aborted_tools"}""", AgentOutcome.Interrupted)]
    [InlineData("""{"type":"result","subtype":"success","is_error":true,"terminal_reason":"api_error","api_error_status":429}""", AgentOutcome.RateLimited)]
    [InlineData("""{"type":"result","subtype":"success","is_error":true,"terminal_reason":"api_error","api_error_status":1e99}""", AgentOutcome.ModelError)]
    public void Result_DecidesByFlagAndReason(string line, AgentOutcome outcome)
    {
        Read(Init);
        Read(line);
        Assert.Equal(outcome, _stream.Finish(new GuestExit(0, null), "").Outcome);
    }

    [Fact]
    public void Turn_OpenedAfterAResultIsNotFinished()
    {
        Read(Init);
        Assert.False(_stream.IsFinished);
        Read(Good);
        Assert.True(_stream.IsFinished);
        Read(Init);
        Assert.False(_stream.IsFinished);
        Assert.Equal(AgentOutcome.NoResult, _stream.Finish(new GuestExit(0, null), "").Outcome);
    }

    [Fact]
    public void Result_WithQueuedTurnsIsNotTheLast()
    {
        Read("""{"type":"result","subtype":"success","is_error":false,"terminal_reason":"completed","queued_turn_count":1}""");
        Assert.False(_stream.IsFinished);
    }

    [Fact]
    public void Crash_CarriesTheEndOfTheErrorOutput() =>
        Assert.Contains("unknown option", _stream.Finish(new GuestExit(1, null), "error: unknown option").Detail, StringComparison.Ordinal);

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void Mutations_NeverThrowNorCompleteWithoutResult(int seed)
    {
        var random = new Random(seed);
        foreach (var recording in Recordings.Claude.Values.Concat(Recordings.Foreign.Values))
        {
            var lines = Recordings.Lines(recording)
                .Where(line => !Encoding.UTF8.GetString(line).Contains("\"terminal_reason\"", StringComparison.Ordinal))
                .Select(line => Mutate(line, recording, random)).ToList();
            var stream = new ClaudeCodeAdapter().OpenStream();
            foreach (var line in lines)
            {
                foreach (var happened in stream.Read(line))
                {
                    Assert.IsType(happened.GetType(), AgentEventJson.Read(AgentEventJson.Write(happened)));
                }
            }

            Assert.True(stream.Finish(new GuestExit(0, null), "").Outcome != AgentOutcome.Completed, $"seed {seed}");
        }
    }

    private static byte[] Mutate(byte[] line, byte[] recording, Random random)
    {
        var copy = line.ToArray();
        switch (random.Next(6))
        {
            case 0:
                return copy[..random.Next(copy.Length + 1)];
            case 1:
                return [.. copy, .. copy];
            case 2:
                return [.. copy[..random.Next(copy.Length + 1)], .. recording[random.Next(recording.Length)..].TakeWhile(b => b != '\n')
                    .TakeWhile((_, i) => i < 50)];
            case 3:
                for (var i = 0; i < 5 && copy.Length > 0; i++)
                {
                    copy[random.Next(copy.Length)] = (byte)random.Next(256);
                }

                return copy;
            case 4:
                return Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(copy).Replace("\":\"", "\":\"\\ud9ab", StringComparison.Ordinal));
            default:
                return copy;
        }
    }

    private IReadOnlyList<AgentEvent> Read(string line) => _stream.Read(Encoding.UTF8.GetBytes(line));

    private string Said(byte[] line) => Assert.IsType<AgentEvent.Said>(Assert.Single(_stream.Read(line))).Content;
}
