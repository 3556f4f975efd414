using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>One end of a channel. Several may follow one another on a kept program, which has none (0) in between.</summary>
internal abstract class Channel
{
    public uint Number { get; set; }

    /// <summary>It stands in the line of those that may have something to send.</summary>
    public bool IsWaiting { get; set; }

    public abstract bool HasWork { get; }

    /// <summary>Writes some frames; false when none was written although there is work: there is no place.</summary>
    public abstract bool Emit(Outbox outbox);

    public abstract void Data(byte stream, ulong offset, ReadOnlySpan<byte> bytes);

    public abstract void Acknowledged(byte stream, ulong offset);

    public abstract void Ended(byte stream, ulong offset);

    /// <summary>The host has no more use for it, by its word or because its link is gone.</summary>
    public abstract void Closed(bool byHost);

    public virtual void Signal(int number, bool toAll)
    {
    }

    public virtual void Resize(ushort columns, ushort rows)
    {
    }

    /// <summary>The host's answer to a channel that the guest opened.</summary>
    public virtual void Answered(bool accepted) => throw new WireException("an answer without a question came");

    protected static void MustBeInput(byte stream)
    {
        if (stream != WireStream.Input)
        {
            throw new WireException("bytes of a stream came that is not the host's");
        }
    }
}
