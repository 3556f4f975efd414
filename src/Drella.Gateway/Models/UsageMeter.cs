using System.Buffers;
using System.Text.Json;

namespace Drella.Gateway.Models;

/// <summary>
/// Reads token counts out of an answer while it passes, whatever the chunks. Keeps at most one line of a stream, or one plain answer,
/// up to a cap; what is longer or is not JSON passes unmetered.
/// </summary>
internal sealed class UsageMeter(bool isStream)
{
    private const int LongestLine = 256 << 10;
    private const int LongestAnswer = 16 << 20;
    private readonly ArrayBufferWriter<byte> kept = new();
    private bool skipping;

    public long Input { get; private set; }

    public long Output { get; private set; }

    public long CacheRead { get; private set; }

    public long CacheWrite { get; private set; }

    public long Passed { get; private set; }

    /// <summary>The provider told what the input was.</summary>
    public bool Started { get; private set; }

    /// <summary>The provider told what the output was.</summary>
    public bool Finished { get; private set; }

    public void Feed(ReadOnlySpan<byte> bytes)
    {
        Passed += bytes.Length;
        while (isStream && bytes.IndexOfAny((byte)'\n', (byte)'\r') is >= 0 and var end)
        {
            Keep(bytes[..end], LongestLine);
            TakeLine();
            bytes = bytes[(end + 1)..];
        }

        Keep(bytes, isStream ? LongestLine : LongestAnswer);
    }

    public void Complete()
    {
        if (isStream)
        {
            TakeLine();
        }
        else if (!skipping)
        {
            Read(kept.WrittenMemory, plain: true);
        }
    }

    private void Keep(ReadOnlySpan<byte> part, int cap)
    {
        skipping |= kept.WrittenCount + part.Length > cap;
        if (!skipping)
        {
            kept.Write(part);
        }
    }

    private void TakeLine()
    {
        var line = kept.WrittenMemory;
        // data: {"type":"message_delta","delta":{...},"usage":{"output_tokens":15}}
        if (!skipping && line.Span.StartsWith("data:"u8)
            && (line.Span.IndexOf("message_start"u8) >= 0 || line.Span.IndexOf("message_delta"u8) >= 0))
        {
            Read(line[5..], plain: false);
        }

        kept.ResetWrittenCount();
        skipping = false;
    }

    private void Read(ReadOnlyMemory<byte> json, bool plain)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            var type = Member(root, "type") is { ValueKind: JsonValueKind.String } text ? text.GetString() : null;
            var holder = plain ? root : type switch { "message_start" => Member(root, "message"), "message_delta" => root, _ => null };
            if (holder is { } found && Member(found, "usage") is { } usage)
            {
                Started |= plain || type == "message_start";
                Finished |= plain || type == "message_delta";
                Input = Math.Max(Input, Count(usage, "input_tokens"));
                Output = Math.Max(Output, Count(usage, "output_tokens"));
                CacheRead = Math.Max(CacheRead, Count(usage, "cache_read_input_tokens"));
                CacheWrite = Math.Max(CacheWrite, Count(usage, "cache_creation_input_tokens"));
            }
        }
        catch (JsonException)
        {
            // Garbage passes as it is; the agent deals with it.
        }
    }

    private static JsonElement? Member(JsonElement element, string name) =>
        element.ValueKind == JsonValueKind.Object && element.TryGetProperty(name, out var value) ? value : null;

    private static long Count(JsonElement usage, string name) =>
        Member(usage, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var count) && count > 0 ? count : 0;
}
