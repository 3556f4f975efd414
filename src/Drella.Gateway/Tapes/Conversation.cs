using System.Text.Json;

namespace Drella.Gateway.Tapes;

/// <summary>What a request shows of the conversation so far.</summary>
internal sealed class Conversation
{
    private Conversation(JsonElement root)
    {
        Model = Text(root, "model");
        Streams = root.TryGetProperty("stream", out var stream) && stream.ValueKind == JsonValueKind.True;
        System = root.TryGetProperty("system", out var system) ? string.Concat(Blocks(system).Select(block => Text(block, "text"))) : "";
        Tools = root.TryGetProperty("tools", out var tools) && tools.ValueKind == JsonValueKind.Array
            ? [.. tools.EnumerateArray().Select(tool => Text(tool, "name"))]
            : [];
        Turns = root.TryGetProperty("messages", out var messages) && messages.ValueKind == JsonValueKind.Array
            ? [.. messages.EnumerateArray().Select(Read)]
            : [];
    }

    public string Model { get; }

    public bool Streams { get; }

    public string System { get; }

    public IReadOnlyList<string> Tools { get; }

    public IReadOnlyList<Turn> Turns { get; }

    /// <summary>What was said to the agent since it last answered, or else the last thing before.</summary>
    public string Prompt
    {
        get
        {
            var last = Turns.ToList().FindLastIndex(turn => turn.IsAssistant);
            var fresh = string.Join('\n', Turns.Skip(last + 1).Select(turn => turn.Text).Where(text => text.Length > 0));
            return fresh.Length > 0 ? fresh : Turns.LastOrDefault(turn => !turn.IsAssistant && turn.Text.Length > 0)?.Text ?? "";
        }
    }

    /// <summary>Null when the body is not a request with messages.</summary>
    public static Conversation? TryRead(ReadOnlyMemory<byte> body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            var read = new Conversation(document.RootElement);
            return read.Turns.Count > 0 ? read : null;
        }
        catch (Exception malformed) when (malformed is JsonException or InvalidOperationException)
        {
            return null;
        }
    }

    private static Turn Read(JsonElement message)
    {
        var blocks = message.TryGetProperty("content", out var content) ? Blocks(content).ToList() : [];
        return new Turn(
            Text(message, "role") == "assistant",
            string.Join('\n', blocks.Where(block => Text(block, "type") is "text" or "").Select(block => Text(block, "text"))
                .Where(text => !text.StartsWith("<system-reminder>", StringComparison.Ordinal))),
            [.. blocks.Where(block => Text(block, "type") == "tool_use").Select(block => Text(block, "id"))],
            [.. blocks.Where(block => Text(block, "type") == "tool_result").Select(Result)]);
    }

    private static ToolResult Result(JsonElement block) => new(
        Text(block, "tool_use_id"),
        block.TryGetProperty("is_error", out var error) && error.ValueKind == JsonValueKind.True,
        block.TryGetProperty("content", out var content) ? string.Join('\n', Blocks(content).Select(part => Text(part, "text"))) : "");

    private static IEnumerable<JsonElement> Blocks(JsonElement content) => content.ValueKind switch
    {
        JsonValueKind.Array => content.EnumerateArray(),
        JsonValueKind.String => [JsonSerializer.SerializeToElement(new { type = "text", text = content.GetString() })],
        _ => [],
    };

    private static string Text(JsonElement holder, string name) =>
        holder.ValueKind == JsonValueKind.Object && holder.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String
            ? value.GetString()!
            : "";

    /// <summary>One message.</summary>
    internal sealed record Turn(bool IsAssistant, string Text, IReadOnlyList<string> Calls, IReadOnlyList<ToolResult> Results);

    internal sealed record ToolResult(string CallId, bool IsError, string Text)
    {
        // Said by the agent's program itself: on resume, in the place of a result that a kill swallowed, or when the factory died during a call of its tools.
        private static readonly string[] Broken = ["interrupted", "outcome unknown", "connection closed before the tool call was answered"];

        public bool WasInterrupted => IsError && Broken.Any(words => Text.Contains(words, StringComparison.OrdinalIgnoreCase));
    }
}
