using System.Buffers.Binary;

namespace Gjoll.Wire;

/// <summary>
/// Finds frames in a stream of bytes. A link may be cut in the middle of a frame and go on with another writer, so a reader that has not
/// <see cref="IsAligned">found its place</see> looks for the next header; one that has takes a wrong header for the end of the link. Not thread-safe.
/// </summary>
public sealed class FrameParser
{
    private readonly byte[] _buffer = new byte[FrameWriter.HeaderSize + WireLimits.MaxPayload];
    private int _start;
    private int _end;

    /// <summary>False until the first whole header, and again after <see cref="Reset"/>.</summary>
    public bool IsAligned { get; private set; }

    /// <summary>Where the next bytes of the link belong; call <see cref="Advance"/> with how many came. Never empty. Ends the validity of earlier payloads.</summary>
    public Memory<byte> Free()
    {
        if (_start > 0)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
        }

        if (_end == _buffer.Length)
        {
            // Only garbage before alignment can fill it: a frame always fits.
            _end = 0;
        }

        return _buffer.AsMemory(_end);
    }

    public void Advance(int count) => _end += count;

    /// <summary>Forgets what was read and looks for a place to start anew: the other end is another one now.</summary>
    public void Reset()
    {
        _start = 0;
        _end = 0;
        IsAligned = false;
    }

    /// <summary>Takes what looks like the next header for something else, and looks on behind it. What was read stays.</summary>
    public void Skip()
    {
        if (_start < _end)
        {
            _start++;
        }

        IsAligned = false;
    }

    /// <summary>Looks for a place to start anew within what was read: a frame of an earlier writer was cut, and another's bytes were taken for its rest.</summary>
    public void Realign() => IsAligned = false;

    /// <exception cref="WireException">The bytes are not frames: the link must be ended, or <see cref="Reset"/>.</exception>
    public bool TryRead(out Frame frame)
    {
        frame = default;
        while (_end - _start >= FrameWriter.HeaderSize)
        {
            var header = _buffer.AsSpan(_start, FrameWriter.HeaderSize);
            if (!IsHeader(header, out var length))
            {
                if (IsAligned)
                {
                    throw new WireException("a frame with a wrong header came");
                }

                _start++;
                continue;
            }

            IsAligned = true;
            if (_end - _start < FrameWriter.HeaderSize + length)
            {
                return false;
            }

            frame = new Frame(
                (FrameKind)header[4], header[5], BinaryPrimitives.ReadUInt32LittleEndian(header[8..]),
                _buffer.AsMemory(_start + FrameWriter.HeaderSize, length));
            _start += FrameWriter.HeaderSize + length;
            return true;
        }

        return false;
    }

    private static bool IsHeader(ReadOnlySpan<byte> header, out int length)
    {
        length = BinaryPrimitives.ReadInt32LittleEndian(header[12..]);
        return BinaryPrimitives.ReadUInt32LittleEndian(header) == FrameWriter.Magic
            && header[6] == 0 && header[7] == 0
            && length is >= 0 and <= WireLimits.MaxPayload;
    }
}
