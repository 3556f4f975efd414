namespace Gjoll.Wire;

/// <summary>What a frame says. Numbers are part of the wire format and never reused.</summary>
public enum FrameKind : byte
{
    /// <summary>Host, first on a link: version and nonce (<see cref="Handshake"/>).</summary>
    Hello = 1,

    /// <summary>Guest, answering <see cref="Hello"/>: its nonce and its proof of the sandbox's key.</summary>
    Welcome = 2,

    /// <summary>Host, ending the handshake: its own proof.</summary>
    Proof = 3,

    /// <summary>Opens a channel and asks for something: JSON of <see cref="WireRequest"/>.</summary>
    Request = 8,

    /// <summary>Yes: JSON of <see cref="WireResponse"/>. The channel stays open where the request says so.</summary>
    Response = 9,

    /// <summary>No: JSON of <see cref="WireFailure"/>. The channel is closed.</summary>
    Failure = 10,

    /// <summary>Bytes of a stream: the offset of the first of them (8 bytes), then the bytes.</summary>
    Data = 16,

    /// <summary>The reader has consumed a stream up to this offset (8 bytes): what lies before is forgotten by the sender, and its window moves.</summary>
    Ack = 17,

    /// <summary>
    /// The stream ends at this offset (8 bytes). Of an input, from the guest: nobody reads it any more, and what lies beyond the offset is dropped.
    /// </summary>
    End = 18,

    /// <summary>
    /// The program of the channel ended: code (4 bytes, signed) and <see cref="ExitReason"/> (1 byte). Output may still follow; after an attach it
    /// comes again.
    /// </summary>
    Exited = 19,

    /// <summary>
    /// The sender is done with the channel, in both directions. Carries nothing. Unknown channels are ignored: closings may cross. From a client to the
    /// warden, with 1 in the place of the stream: only the client is done, and a kept program's channel waits for whoever attaches next. A warden that has
    /// lost its guest ends the open channels of its clients with <see cref="Failure"/>.
    /// </summary>
    Close = 20,

    /// <summary>Host to guest: a signal (4 bytes) for the program of the channel; with 1 in the place of the stream, for all its descendants as well.</summary>
    Signal = 24,

    /// <summary>Host to guest: columns and rows of its terminal (2 + 2 bytes).</summary>
    Resize = 25,

    /// <summary>Either side: answer with <see cref="Pong"/> and the same payload, at most 64 bytes.</summary>
    Ping = 30,

    Pong = 31,
}
