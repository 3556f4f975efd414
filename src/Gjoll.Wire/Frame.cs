namespace Gjoll.Wire;

/// <summary>One frame as read. The payload is only valid until the parser is fed again.</summary>
/// <param name="Kind">May be a number that this version does not know: such a frame ends the link.</param>
/// <param name="Stream"><see cref="WireStream"/> for stream frames, else 0.</param>
/// <param name="Channel">0 for frames of the link itself.</param>
/// <param name="Payload">At most <see cref="WireLimits.MaxPayload"/> bytes.</param>
public readonly record struct Frame(FrameKind Kind, byte Stream, uint Channel, ReadOnlyMemory<byte> Payload);

/// <summary>The streams of a channel.</summary>
public static class WireStream
{
    /// <summary>Towards the program in the guest, or towards the guest's end of a connection.</summary>
    public const byte Input = 0;

    /// <summary>From the program's standard output or terminal, or from the guest's end of a connection.</summary>
    public const byte Output = 1;

    public const byte Error = 2;
}

/// <summary>Bounds that both sides hold and enforce on the other.</summary>
public static class WireLimits
{
    public const int Version = 1;

    /// <summary>Bytes of a frame after its header. A request must hold a whole command line and environment.</summary>
    public const int MaxPayload = 256 * 1024;

    /// <summary>Bytes of one data frame after its offset; a sender of more breaks the protocol.</summary>
    public const int MaxData = 64 * 1024;

    /// <summary>Bytes of a stream that may be under way or unacknowledged.</summary>
    public const int Window = 512 * 1024;

    /// <summary>Open channels of one kind on one link: host-opened and guest-opened are counted apart.</summary>
    public const int MaxChannels = 1024;

    /// <summary>Channels opened by the guest carry this bit, so that both sides can number without asking.</summary>
    public const uint GuestBit = 0x8000_0000;

    public const int MaxIdLength = 64;

    /// <summary>Finished programs whose end nobody has fetched yet; the oldest goes first.</summary>
    public const int MaxFinished = 64;
}
