using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>A stream from the host, on its way into a descriptor. Acknowledged when written there, or dropped because no one reads any more.</summary>
internal sealed unsafe class ReceiveStream(Segments segments)
{
    /// <summary>An acknowledgement costs both sides a wake-up: it is given for this much, or at the end.</summary>
    private const ulong AckStep = WireLimits.Window / 4;

    private readonly ByteQueue _bytes = new(segments, 2 * WireLimits.Window);
    private ulong? _end;
    private ulong _acknowledged;
    private ulong _windowEnd = WireLimits.Window;
    private bool _isDropping;

    public ulong Received => _bytes.End;

    public ulong Consumed => _bytes.Start;

    public bool HasPending => _bytes.Length > 0;

    /// <summary>All was written, and no more comes.</summary>
    public bool IsAtEnd => _end == Consumed;

    public bool AckIsDue => Consumed - _acknowledged >= AckStep || (IsAtEnd && _acknowledged != _end);

    /// <exception cref="WireException">A gap, bytes behind the end, or more than the window.</exception>
    public void Add(ulong offset, ReadOnlySpan<byte> bytes, int descriptor)
    {
        var received = Received;
        if (offset > received)
        {
            throw new WireException("bytes of a stream are missing");
        }

        var known = received - offset;
        if (known >= (ulong)bytes.Length)
        {
            return;
        }

        bytes = bytes[(int)known..];
        if (_end is { } end && received + (ulong)bytes.Length > end)
        {
            throw new WireException("bytes came behind the end of their stream");
        }

        if (received + (ulong)bytes.Length > _windowEnd)
        {
            throw new WireException("a sender has not kept to its window");
        }

        if (_isDropping || descriptor < 0)
        {
            _bytes.Skip(bytes.Length);
            return;
        }

        if (!HasPending)
        {
            var written = Write(descriptor, bytes);
            if (written < 0)
            {
                Drop();
                _bytes.Skip(bytes.Length);
                return;
            }

            _bytes.Skip(written);
            bytes = bytes[written..];
        }

        // The window bounds one stream. When all together are over the budget, this one's bytes still have their place: the sender was promised it.
        _bytes.AppendAll(bytes);
    }

    /// <exception cref="WireException">The end is not behind the last byte.</exception>
    public void End(ulong offset)
    {
        if (offset != Received || (_end is { } end && end != offset))
        {
            throw new WireException("a stream ends where it has not come to");
        }

        _end = offset;
    }

    /// <summary>Writes on. False when no one reads at the other end any more; then what comes is dropped and acknowledged.</summary>
    public bool Pump(int descriptor)
    {
        while (HasPending)
        {
            var piece = _bytes.Peek(Consumed);
            var written = Write(descriptor, piece);
            if (written < 0)
            {
                Drop();
                return false;
            }

            _bytes.DropTo(Consumed + (ulong)written);
            if (written < piece.Length)
            {
                break;
            }
        }

        return true;
    }

    public void Drop()
    {
        _isDropping = true;
        _bytes.Clear();
    }

    /// <summary>Bytes of the last client that are not yet read leave place for a window of the next one's, but not for two.</summary>
    public bool CanReattach => _bytes.Length <= WireLimits.Window;

    /// <summary>A new client goes on behind what was received, and takes that for acknowledged.</summary>
    public void Reattach()
    {
        _acknowledged = Consumed;
        _windowEnd = Received + WireLimits.Window;
    }

    public bool TryEmitAck(uint channel, Outbox outbox)
    {
        if (!outbox.TryMark(FrameKind.Ack, channel, WireStream.Input, Consumed))
        {
            return false;
        }

        _acknowledged = Consumed;
        _windowEnd = Math.Max(_windowEnd, Consumed + WireLimits.Window);
        return true;
    }

    /// <returns>-1 when the reader is gone.</returns>
    private static int Write(int descriptor, ReadOnlySpan<byte> bytes)
    {
        var total = 0;
        fixed (byte* source = bytes)
        {
            while (total < bytes.Length)
            {
                var count = Libc.write(descriptor, source + total, (nuint)(bytes.Length - total));
                if (count >= 0)
                {
                    total += (int)count;
                    continue;
                }

                var error = Errno.Last;
                if (error != Errno.EINTR)
                {
                    return Errno.IsAgain(error) ? total : -1;
                }
            }
        }

        return total;
    }
}
