using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Drella.Gateway.Tapes;

/// <summary>One answer in the words of the Anthropic API: as a stream of events, or whole.</summary>
internal sealed record AnswerScript(string Id, string Model, IReadOnlyList<AnswerBlock> Blocks, TapeUsage Usage, string StopReason)
{
    public ReadOnlyMemory<byte> Whole() => JsonSerializer.SerializeToUtf8Bytes(new JsonObject
    {
        ["id"] = Id,
        ["type"] = "message",
        ["role"] = "assistant",
        ["model"] = Model,
        ["content"] = new JsonArray([.. Blocks.Select(block => block.Whole())]),
        ["stop_reason"] = StopReason,
        ["stop_sequence"] = null,
        ["usage"] = new JsonObject { ["input_tokens"] = Usage.In, ["output_tokens"] = Usage.Out },
    });

    public IEnumerable<TapeBody.Piece> Stream(TapeStep? step, TapeFault? fault)
    {
        yield return Event("message_start", new JsonObject
        {
            ["message"] = new JsonObject
            {
                ["id"] = Id, ["type"] = "message", ["role"] = "assistant", ["model"] = Model, ["content"] = new JsonArray(),
                ["stop_reason"] = null, ["stop_sequence"] = null,
                ["usage"] = new JsonObject { ["input_tokens"] = Usage.In, ["output_tokens"] = 1 },
            },
        });
        for (var index = 0; index < Blocks.Count; index++)
        {
            if (fault?.CutAfterBlocks <= index)
            {
                yield break;
            }

            foreach (var piece in Block(index, step?.Chunk, fault))
            {
                yield return piece;
            }
        }

        if (fault?.CutAfterBlocks is not null)
        {
            yield break;
        }

        yield return Event("message_delta", new JsonObject
        {
            ["delta"] = new JsonObject { ["stop_reason"] = StopReason, ["stop_sequence"] = null },
            ["usage"] = new JsonObject { ["output_tokens"] = Usage.Out },
        });
        yield return Event("message_stop", []);
    }

    private IEnumerable<TapeBody.Piece> Block(int index, TapeChunk? chunk, TapeFault? fault)
    {
        var block = Blocks[index];
        yield return Event("content_block_start", new JsonObject { ["index"] = index, ["content_block"] = block.Opening() });
        if (fault?.Hang == "midBlock")
        {
            yield return new TapeBody.Piece.Pause(Timeout.InfiniteTimeSpan);
        }

        if (fault?.Drop == true)
        {
            yield return new TapeBody.Piece.Drop();
        }

        foreach (var part in block.Text.Chunk(Math.Max(1, chunk?.Chars ?? int.MaxValue)))
        {
            yield return Event("content_block_delta", new JsonObject { ["index"] = index, ["delta"] = block.Delta(new string(part)) });
            if (chunk is { DelayMs: > 0 })
            {
                yield return new TapeBody.Piece.Pause(TimeSpan.FromMilliseconds(chunk.DelayMs));
            }
        }

        if (block.Kind == "thinking")
        {
            var signature = new JsonObject { ["type"] = "signature_delta", ["signature"] = "tape" };
            yield return Event("content_block_delta", new JsonObject { ["index"] = index, ["delta"] = signature });
        }

        yield return Event("content_block_stop", new JsonObject { ["index"] = index });
    }

    private static TapeBody.Piece.Bytes Event(string type, JsonObject data)
    {
        data.Insert(0, "type", type);
        return new TapeBody.Piece.Bytes(Encoding.UTF8.GetBytes($"event: {type}\ndata: {data.ToJsonString()}\n\n"));
    }
}

/// <param name="Kind">text, thinking or tool_use.</param>
/// <param name="Text">The text, or the arguments as JSON.</param>
/// <param name="CallId">Of a tool call.</param>
/// <param name="Tool">Of a tool call.</param>
internal sealed record AnswerBlock(string Kind, string Text, string? CallId = null, string? Tool = null)
{
    public JsonObject Opening() => Kind switch
    {
        "tool_use" => new JsonObject { ["type"] = Kind, ["id"] = CallId, ["name"] = Tool, ["input"] = new JsonObject() },
        "thinking" => new JsonObject { ["type"] = Kind, ["thinking"] = "", ["signature"] = "" },
        _ => new JsonObject { ["type"] = Kind, ["text"] = "" },
    };

    public JsonObject Delta(string part) => Kind switch
    {
        "tool_use" => new JsonObject { ["type"] = "input_json_delta", ["partial_json"] = part },
        "thinking" => new JsonObject { ["type"] = "thinking_delta", ["thinking"] = part },
        _ => new JsonObject { ["type"] = "text_delta", ["text"] = part },
    };

    public JsonObject Whole()
    {
        var whole = Opening();
        switch (Kind)
        {
            case "tool_use":
                whole["input"] = Arguments();
                break;
            case "thinking":
                (whole["thinking"], whole["signature"]) = (Text, "tape");
                break;
            default:
                whole["text"] = Text;
                break;
        }

        return whole;
    }

    private JsonNode? Arguments()
    {
        try
        {
            return JsonNode.Parse(Text);
        }
        catch (JsonException)
        {
            return new JsonObject { ["raw"] = Text };
        }
    }
}
