using Gjoll.Guest.Channels;
using Gjoll.Guest.Kernel;
using Gjoll.Guest.Machine;
using Gjoll.Guest.Programs;
using Gjoll.Wire;

namespace Gjoll.Guest;

/// <summary>What the frames of the host mean. Before the handshake is done all but its own are ignored; a new one may begin at any time.</summary>
internal sealed class Session(Switchboard switchboard, ProgramTable programs, ListenerSet listeners, IMachine machine, byte[] key)
{
    /// <summary>A host asks again every second until it is answered; an answer that is on its way is not repeated.</summary>
    private const long AnswerStands = 2000;

    private byte[] _key = key;
    private byte[]? _hostNonce;
    private byte[]? _guestNonce;
    private long _answered;

    /// <exception cref="WireException">The host broke the protocol: the link must be ended.</exception>
    public void Handle(in Frame frame)
    {
        if (frame.Kind == FrameKind.Hello)
        {
            Greet(Handshake.ReadHello(frame.Payload.Span));
        }
        else if (switchboard.IsLinked)
        {
            HandleLinked(frame);
        }
        else if (frame.Kind == FrameKind.Proof && _hostNonce is not null && Handshake.IsProof(frame.Payload.Span, _key, _hostNonce, _guestNonce))
        {
            switchboard.Linked();
            listeners.Refresh();
        }
    }

    public void LinkLost()
    {
        _hostNonce = null;
        _guestNonce = null;
        switchboard.Unlinked();
        listeners.Refresh();
    }

    private void Greet(byte[] nonce)
    {
        if (_hostNonce is not null && nonce.AsSpan().SequenceEqual(_hostNonce) && Clock.Now - _answered < AnswerStands)
        {
            return;
        }

        LinkLost();
        _hostNonce = nonce;
        _guestNonce = Handshake.Nonce();
        _answered = Clock.Now;
        switchboard.Answer(FrameWriter.Make(FrameKind.Welcome, 0, Handshake.Welcome(_key, _hostNonce, _guestNonce)));
    }

    private void HandleLinked(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Request:
                Ask(frame);
                break;
            case FrameKind.Ping:
                Pong(frame);
                break;
            case FrameKind.Pong or FrameKind.Proof:
                break;
            case FrameKind.Response or FrameKind.Failure when (frame.Channel & WireLimits.GuestBit) == 0:
                throw new WireException("an answer without a question came");
            case FrameKind.Response or FrameKind.Failure or FrameKind.Data or FrameKind.Ack or FrameKind.End or FrameKind.Close or FrameKind.Signal or FrameKind.Resize:
                // An unknown channel is one that was just closed here.
                if (switchboard.Find(frame.Channel) is { } channel)
                {
                    Tell(channel, frame);
                    switchboard.Schedule(channel);
                }

                break;
            default:
                throw new WireException("a frame came that a host does not send");
        }
    }

    private void Tell(Channel channel, in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Data:
                var (offset, bytes) = FramePayload.Data(frame);
                channel.Data(frame.Stream, offset, bytes.Span);
                break;
            case FrameKind.Ack:
                channel.Acknowledged(frame.Stream, FramePayload.Offset(frame));
                break;
            case FrameKind.End:
                channel.Ended(frame.Stream, FramePayload.Offset(frame));
                break;
            case FrameKind.Close:
                switchboard.Remove(channel);
                channel.Closed(byHost: true);
                break;
            case FrameKind.Signal:
                channel.Signal(FramePayload.Signal(frame), frame.Stream == 1);
                break;
            case FrameKind.Resize:
                var (columns, rows) = FramePayload.Size(frame);
                channel.Resize(columns, rows);
                break;
            case FrameKind.Response:
                _ = WireJson.ReadResponse(frame);
                channel.Answered(accepted: true);
                break;
            case FrameKind.Failure:
                channel.Answered(accepted: false);
                break;
        }
    }

    private void Pong(in Frame frame)
    {
        const int MaxPing = 64;
        if (frame.Payload.Length > MaxPing)
        {
            throw new WireException("a ping that is too long came");
        }

        switchboard.Answer(FrameWriter.Make(FrameKind.Pong, frame.Channel, frame.Payload.Span));
    }

    private void Ask(in Frame frame)
    {
        if (frame.Channel == 0 || (frame.Channel & WireLimits.GuestBit) != 0 || switchboard.Find(frame.Channel) is not null)
        {
            throw new WireException("a request on a channel that is not free came");
        }

        var request = WireJson.ReadRequest(frame);
        try
        {
            Do(frame.Channel, request);
        }
        catch (RequestException refused)
        {
            switchboard.Answer(WireJson.Failure(frame.Channel, refused.Code, refused.Message));
        }
    }

    /// <exception cref="RequestException">The answer is no.</exception>
    private void Do(uint channel, WireRequest request)
    {
        if (request is ExecRequest or AttachRequest or DialRequest && switchboard.ByHost >= WireLimits.MaxChannels)
        {
            throw new RequestException(FailureCode.Exhausted, "too many channels");
        }

        switch (request)
        {
            case ExecRequest exec:
                programs.Start(channel, exec);
                break;
            case AttachRequest attach:
                programs.Attach(channel, attach);
                break;
            case DialRequest dial:
                listeners.Dial(channel, dial.Port);
                break;
            case ProgramsRequest:
                switchboard.Answer(WireJson.Response(channel, new WireResponse { Programs = programs.Kept }));
                break;
            case HealthRequest:
                switchboard.Answer(WireJson.Response(channel, new WireResponse { Health = HealthReport.Make(programs.Running) }));
                break;
            case RenewRequest renew:
                Renew(channel, renew);
                break;
            case ShutdownRequest shutdown:
                switchboard.Answer(WireJson.Response(channel, new WireResponse()));
                machine.ShutDown(shutdown.GraceMilliseconds);
                break;
            default:
                throw new RequestException(FailureCode.Invalid, "a guest does not do this");
        }
    }

    private void Renew(uint channel, RenewRequest request)
    {
        if (request.Key is { } text)
        {
            var bytes = new byte[Handshake.KeySize];
            _key = Convert.TryFromBase64String(text, bytes, out var length) && length == Handshake.KeySize
                ? bytes
                : throw new RequestException(FailureCode.Invalid, "the key is not one");
        }

        var failures = listeners.Set(request.Listeners);
        var link = switchboard.Link;
        machine.Renew(request, rest =>
        {
            if (link != switchboard.Link)
            {
                return;
            }

            List<string> all = [.. failures, .. rest];
            switchboard.Answer(all.Count == 0
                ? WireJson.Response(channel, new WireResponse())
                : WireJson.Failure(channel, FailureCode.Failed, string.Join("; ", all)));
        });
    }
}
