using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>A stream towards the host: what the host has not acknowledged is kept, so that it can be sent again to whoever attaches.</summary>
internal sealed class SendStream(byte number, Segments segments)
{
    private bool _endSent;

    public ByteQueue Bytes { get; } = new(segments, WireLimits.Window);

    public byte Number => number;

    public ulong Sent { get; private set; }

    /// <summary>Nothing comes behind <see cref="ByteQueue.End"/>.</summary>
    public bool HasEnded { get; private set; }

    public bool IsDone => HasEnded && _endSent && Bytes.Length == 0;

    public bool HasWork => Sent < Bytes.End || (HasEnded && !_endSent);

    public void Finish() => HasEnded = true;

    /// <exception cref="WireException">The host acknowledged what it was not sent.</exception>
    public void Acknowledge(ulong offset)
    {
        if (offset > Sent)
        {
            throw new WireException("bytes that were not sent were acknowledged");
        }

        if (offset > Bytes.Start)
        {
            Bytes.DropTo(offset);
        }
    }

    public bool CanStartAt(ulong offset) => offset >= Bytes.Start && offset <= Bytes.End;

    public void StartAt(ulong offset)
    {
        Sent = offset;
        _endSent = false;
    }

    /// <summary>No one will ever want these bytes.</summary>
    public void Drop()
    {
        Bytes.Clear();
        Sent = Bytes.End;
        HasEnded = true;
        _endSent = true;
    }

    /// <summary>Writes the next frame of this stream, when it has one and there is place.</summary>
    public bool TryEmit(uint channel, Outbox outbox)
    {
        if (Sent < Bytes.End)
        {
            var piece = Bytes.Peek(Sent);
            var count = Math.Min(Math.Min(piece.Length, WireLimits.MaxData), outbox.Free - FrameWriter.DataPrefix);
            if (count < Math.Min(piece.Length, 4096))
            {
                return false;
            }

            var target = outbox.Take(FrameWriter.DataPrefix + count);
            FrameWriter.Data(target, number, channel, Sent, count);
            piece[..count].CopyTo(target[FrameWriter.DataPrefix..]);
            Sent += (ulong)count;
            return true;
        }

        if (HasEnded && !_endSent && outbox.TryMark(FrameKind.End, channel, number, Sent))
        {
            _endSent = true;
            return true;
        }

        return false;
    }
}
