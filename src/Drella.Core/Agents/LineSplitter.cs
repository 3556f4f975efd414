using System.Buffers;

namespace Drella.Core.Agents;

/// <summary>Cuts bytes into lines at LF; a CR before it goes too. Holds at most one line of the cap's length.</summary>
internal sealed class LineSplitter(int maxLine)
{
    private readonly ArrayBufferWriter<byte> _line = new();
    private long _length;

    /// <summary>Called with each line and its true length, which is above the line's own when it was cut.</summary>
    public delegate ValueTask LineHandler(ReadOnlyMemory<byte> line, long length);

    public async ValueTask FeedAsync(ReadOnlyMemory<byte> bytes, LineHandler onLine)
    {
        while (!bytes.IsEmpty)
        {
            var end = bytes.Span.IndexOf((byte)'\n');
            Keep(end < 0 ? bytes : bytes[..end]);
            if (end < 0)
            {
                return;
            }

            await FinishAsync(onLine);
            bytes = bytes[(end + 1)..];
        }
    }

    /// <summary>Gives what stands after the last line end, if anything.</summary>
    public async ValueTask FinishAsync(LineHandler onLine)
    {
        var line = _line.WrittenMemory;
        if (_length == line.Length && line.Span.EndsWith("\r"u8))
        {
            line = line[..^1];
            _length--;
        }

        if (_length > 0)
        {
            await onLine(line, _length);
        }

        _line.ResetWrittenCount();
        _length = 0;
    }

    private void Keep(ReadOnlyMemory<byte> part)
    {
        _length += part.Length;
        var room = Math.Min(part.Length, maxLine - _line.WrittenCount);
        if (room > 0)
        {
            _line.Write(part.Span[..room]);
        }
    }
}
