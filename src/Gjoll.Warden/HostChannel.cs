using Gjoll.Wire;

namespace Gjoll.Warden;

internal enum ChannelKind
{
    /// <summary>Closed by its answer.</summary>
    Question,

    Program,
    Connection,
}

/// <summary>A channel that a client opened through this warden, by both of its numbers. Guarded by the warden's lock.</summary>
internal sealed class HostChannel(Link link, ClientSession client, uint clientChannel, uint linkChannel, ChannelKind kind, bool isKept)
{
    /// <summary>Null when the client left a kept program behind: what comes is counted, and dropped; whoever attaches gets it from the guest again.</summary>
    public ClientSession? Client { get; set; } = client;

    /// <summary>The one it was opened on; a later link knows nothing of it.</summary>
    public Link Link => link;

    public uint ClientChannel => clientChannel;

    public uint LinkChannel => linkChannel;

    public ChannelKind Kind => kind;

    public bool IsKept => isKept;

    /// <summary>The guest has said yes.</summary>
    public bool IsOpen { get; private set; }

    public bool HasExited { get; private set; }

    /// <summary>The guest said that nobody reads.</summary>
    public bool IsInputRefused { get; private set; }

    public ByteWindow Input { get; } = new();

    public ByteWindow Output { get; } = new();

    public ByteWindow Error { get; } = new();

    /// <summary>Judges a frame of the guest; a broken rule is a <see cref="WireException"/>.</summary>
    public void CheckFromGuest(in Frame frame)
    {
        if (frame.Kind is FrameKind.Response or FrameKind.Failure)
        {
            Answer(frame);
            return;
        }

        if (!IsOpen)
        {
            throw new WireException($"a {frame.Kind} came before the answer");
        }

        switch (frame.Kind)
        {
            case FrameKind.Data:
                var (offset, bytes) = FramePayload.Data(frame);
                FromGuest(frame.Stream).Take(offset, bytes.Length);
                break;
            case FrameKind.Ack when frame.Stream == WireStream.Input:
                Input.Acknowledge(FramePayload.Offset(frame));
                break;
            case FrameKind.End when frame.Stream == WireStream.Input:
                _ = FramePayload.Offset(frame);
                IsInputRefused = !IsInputRefused ? true : throw new WireException("an input was refused twice");
                break;
            case FrameKind.End:
                FromGuest(frame.Stream).End(FramePayload.Offset(frame));
                break;
            case FrameKind.Exited when kind == ChannelKind.Program && !HasExited:
                _ = FramePayload.Exited(frame);
                HasExited = true;
                break;
            case FrameKind.Close:
                break;
            default:
                throw new WireException($"a frame of kind {(byte)frame.Kind} came where it does not belong");
        }
    }

    /// <summary>Judges a frame of the client; a broken rule is a <see cref="WireException"/>.</summary>
    public void CheckFromClient(in Frame frame)
    {
        if (!IsOpen && frame.Kind != FrameKind.Close)
        {
            throw new WireException($"a {frame.Kind} came before the answer");
        }

        switch (frame.Kind)
        {
            case FrameKind.Data when frame.Stream == WireStream.Input:
                var (offset, bytes) = FramePayload.Data(frame);
                Input.Take(offset, bytes.Length);
                break;
            case FrameKind.End when frame.Stream == WireStream.Input:
                Input.End(FramePayload.Offset(frame));
                break;
            case FrameKind.Ack:
                FromGuest(frame.Stream).Acknowledge(FramePayload.Offset(frame));
                break;
            case FrameKind.Signal or FrameKind.Resize when kind == ChannelKind.Program:
            case FrameKind.Close:
                break;
            default:
                throw new WireException($"a frame of kind {(byte)frame.Kind} came where it does not belong");
        }
    }

    private void Answer(in Frame frame)
    {
        if (IsOpen)
        {
            throw new WireException("a second answer came");
        }

        if (frame.Kind == FrameKind.Failure)
        {
            _ = WireJson.ReadFailure(frame);
            return;
        }

        var response = WireJson.ReadResponse(frame);
        if (response.Warden is not null)
        {
            throw new WireException("the guest spoke for the warden");
        }

        Input.StartAt(response.InputReceived ?? 0);
        IsOpen = true;
    }

    private ByteWindow FromGuest(byte stream) => stream switch
    {
        WireStream.Output => Output,
        WireStream.Error when kind == ChannelKind.Program => Error,
        _ => throw new WireException("a stream that does not exist was named"),
    };
}
