using System.Text;
using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Sandboxes;

namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>
/// Claude Code's stream-json output. In stream-json input mode <c>system/init</c> opens each turn and <c>result</c> ends it,
/// so both come several times; the last one counts.
/// </summary>
internal sealed class ClaudeStream : IAgentStream
{
    private const int MaxBlocks = 1000;
    private readonly ClaudeEnding _ending = new();

    public bool IsFinished => _ending.IsFinished;

    public IReadOnlyList<AgentEvent> Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var reader = new Utf8JsonReader(line);
            using var document = JsonDocument.ParseValue(ref reader);
            return document.RootElement.ValueKind == JsonValueKind.Object && reader.BytesConsumed == line.TrimEnd("\r\n \t"u8).Length
                ? [.. Understand(document.RootElement)]
                : Unparsed(line);
        }
        catch (JsonException)
        {
            return Unparsed(line);
        }
        catch (InvalidOperationException)
        {
            // A member's name that is no Unicode.
            return Unparsed(line);
        }
    }

    public AgentResult Finish(GuestExit exit, string errorTail) => _ending.Decide(exit, errorTail);

    private static AgentEvent[] Unparsed(ReadOnlySpan<byte> line) =>
        [new AgentEvent.Unparsed(Encoding.UTF8.GetString(line[..Math.Min(line.Length, 400)]))];

    private IEnumerable<AgentEvent> Understand(JsonElement line) => line.Text("type") switch
    {
        "system" => System(line),
        "assistant" => Assistant(line),
        "user" => User(line),
        "result" => Result(line),
        "stream_event" => [],
        var other => [new AgentEvent.Notice(Short(other))],
    };

    private AgentEvent[] System(JsonElement line)
    {
        switch (line.Text("subtype"))
        {
            case "init":
                var servers = line.Member("mcp_servers").Items(100).Select(s => new ToolServerState(s.Text("name"), s.Text("status"))).ToList();
                _ending.TurnOpened(servers);
                return [new AgentEvent.Session(line.Text("session_id"), line.Text("model"), line.Text("claude_code_version"), servers)];
            case "api_retry":
                JsonElement? retry = line;
                return
                [
                    new AgentEvent.Retry(
                        (int)Math.Min(retry.Number("attempt"), int.MaxValue),
                        TimeSpan.FromMilliseconds(Math.Min(retry.Number("retry_delay_ms"), int.MaxValue)),
                        line.Status("error_status")),
                ];
            case "permission_denied":
                return [new AgentEvent.Permission(line.Text("tool_use_id"), line.Text("tool_name"), line.Text("message"))];
            case "compact_boundary":
                return [new AgentEvent.Compaction(line.Member("compact_metadata").Text("trigger"))];
            case var other:
                return [new AgentEvent.Notice($"system/{Short(other)}")];
        }
    }

    private IEnumerable<AgentEvent> Assistant(JsonElement line)
    {
        var subagent = line.Member("parent_tool_use_id") is { } parent ? Lenient.Text(parent) : null;
        var failure = line.Text("error");
        foreach (var block in line.Member("message").Member("content").Items(MaxBlocks))
        {
            switch (block.Text("type"))
            {
                case "text" when failure.Length > 0:
                    _ending.Failed(failure, block.Text("text"));
                    yield return new AgentEvent.Error(Short(failure), null, block.Text("text"));
                    break;
                case "text":
                    _ending.Said(block.Text("text"), subagent);
                    yield return new AgentEvent.Said(block.Text("text"), subagent);
                    break;
                case "thinking":
                    yield return new AgentEvent.Thought(block.Text("thinking"), subagent);
                    break;
                case "tool_use":
                    yield return new AgentEvent.ToolCall(block.Text("id"), block.Text("name"), block.Text("input"), subagent);
                    break;
                case var other:
                    yield return new AgentEvent.Notice($"assistant/{Short(other)}");
                    break;
            }
        }
    }

    private static IEnumerable<AgentEvent> User(JsonElement line)
    {
        var content = line.Member("message").Member("content");
        if (line.True("isReplay"))
        {
            yield return new AgentEvent.InputTaken(Content(content));
            yield break;
        }

        foreach (var block in content.Items(MaxBlocks))
        {
            yield return block.Text("type") == "tool_result"
                ? new AgentEvent.ToolResult(block.Text("tool_use_id"), !block.True("is_error"), Content(block.Member("content")))
                : new AgentEvent.Notice($"user/{Short(block.Text("type"))}");
        }

        if (content is { ValueKind: JsonValueKind.String })
        {
            yield return new AgentEvent.Notice("user/text");
        }
    }

    private IEnumerable<AgentEvent> Result(JsonElement line)
    {
        foreach (var (model, usage) in Models(line.Member("model_usage_since_last_result")))
        {
            yield return new AgentEvent.Usage(
                model,
                usage.Number("inputTokens"),
                usage.Number("outputTokens"),
                usage.Number("cacheReadInputTokens"),
                usage.Number("cacheCreationInputTokens"));
        }

        var result = ClaudeResult.From(line);
        _ending.TurnEnded(result);
        yield return new AgentEvent.TurnEnded(result.IsError, result.Reason.Length > 0 ? result.Reason : result.Subtype, result.Summary);
    }

    private static IEnumerable<(string Model, JsonElement? Usage)> Models(JsonElement? usage) =>
        usage is { ValueKind: JsonValueKind.Object } models
            ? models.EnumerateObject().Take(100).Select(model => (Short(model.Name), (JsonElement?)model.Value))
            : [];

    private static string Content(JsonElement? content) => content is { ValueKind: JsonValueKind.Array }
        ? Lenient.Cut(string.Join('\n', content.Items(MaxBlocks).Select(b => b.Text("type") == "text" ? b.Text("text") : $"[{Short(b.Text("type"))}]")))
        : content.Text();

    private static string Short(string text) => text.Length <= 100 ? text : text[..100];
}
