using System.Buffers.Binary;
using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>Whole frames on their way to the link, in one buffer of fixed size.</summary>
internal sealed class Outbox
{
    public const int Size = 320 * 1024;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(Size, pinned: true);
    private int _start;
    private int _end;

    public int Free => Size - _end;

    public ReadOnlySpan<byte> Pending => _buffer.AsSpan(_start, _end - _start);

    public Span<byte> Take(int count)
    {
        var taken = _buffer.AsSpan(_end, count);
        _end += count;
        return taken;
    }

    public bool TryAdd(ReadOnlySpan<byte> frame)
    {
        if (frame.Length > Free)
        {
            return false;
        }

        frame.CopyTo(Take(frame.Length));
        return true;
    }

    public bool TryMark(FrameKind kind, uint channel, byte stream, ulong offset)
    {
        const int Length = FrameWriter.HeaderSize + sizeof(ulong);
        if (Free < Length)
        {
            return false;
        }

        var target = Take(Length);
        FrameWriter.Header(target, kind, stream, channel, sizeof(ulong));
        BinaryPrimitives.WriteUInt64LittleEndian(target[FrameWriter.HeaderSize..], offset);
        return true;
    }

    public void Written(int count)
    {
        _start += count;
        if (_start == _end)
        {
            Clear();
        }
    }

    public void Clear()
    {
        _start = 0;
        _end = 0;
    }
}
