using System.Buffers;
using System.Runtime.CompilerServices;
using System.Text;
using Drella.Core.Agents;
using Drella.Core.Journal;

namespace Drella.Web.Api;

/// <summary>Reads the raw stream of one run as events, the way the supervisor read it live: at most one line is held, and a longer one is told, not kept.</summary>
internal static class TranscriptReader
{
    private const int MaxLine = 16 << 20;
    private const int ShownOfCut = 200;

    public static async IAsyncEnumerable<AgentEvent> ReadAsync(
        IBlobStore blobs, BlobId blob, IAgentStream stream, [EnumeratorCancellation] CancellationToken cancellationToken, int maxLine = MaxLine)
    {
        var line = new ArrayBufferWriter<byte>();
        var length = 0L;
        await foreach (var chunk in blobs.ReadAsync(blob, 0, cancellationToken))
        {
            var rest = chunk;
            while (!rest.IsEmpty)
            {
                var end = rest.Span.IndexOf((byte)'\n');
                var part = end < 0 ? rest : rest[..end];
                length += part.Length;
                line.Write(part.Span[..Math.Min(part.Length, maxLine - line.WrittenCount)]);
                rest = end < 0 ? default : rest[(end + 1)..];
                if (end < 0)
                {
                    continue;
                }

                foreach (var said in Take(stream, line.WrittenSpan, length))
                {
                    yield return said;
                }

                line.ResetWrittenCount();
                length = 0;
            }
        }

        foreach (var said in Take(stream, line.WrittenSpan, length))
        {
            yield return said;
        }
    }

    private static IReadOnlyList<AgentEvent> Take(IAgentStream stream, ReadOnlySpan<byte> line, long length)
    {
        if (length > line.Length)
        {
            return [new AgentEvent.Notice($"drella/line-cut {length}"), new AgentEvent.Unparsed(Encoding.UTF8.GetString(line[..Math.Min(line.Length, ShownOfCut)]))];
        }

        var text = line.EndsWith("\r"u8) ? line[..^1] : line;
        return text.IsEmpty ? [] : stream.Read(text);
    }
}
