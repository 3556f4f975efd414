using System.Net.Sockets;
using Gjoll.Wire;

namespace Gjoll.Warden;

/// <summary>
/// One client of the warden: a process of the sandbox's owner. Its channel numbers are its own; frames are passed between it and the link under the
/// warden's lock. A client that does not read what it asked for is cut, so that it costs the others nothing.
/// </summary>
internal sealed class ClientSession(Warden warden, Socket socket, Lock gate) : IDisposable
{
    private const int Comfort = 1024 * 1024;
    private const int Limit = 32 * 1024 * 1024;

    private readonly Dictionary<uint, HostChannel> _channels = [];
    private readonly CancellationTokenSource _end = new();
    private FrameSender _sender = null!;

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, _end.Token);
        _sender = new FrameSender(stream, Comfort, Limit);
        var sending = _sender.RunAsync(either.Token);
        try
        {
            await ReadAsync(stream, either.Token);
        }
        catch (Exception ended) when (ended is IOException or WireException or OperationCanceledException)
        {
            // Whatever it was, this client is gone.
        }
        finally
        {
            lock (gate)
            {
                Leave();
            }

            await either.CancelAsync();
            try
            {
                await sending;
            }
            catch (Exception ended) when (ended is IOException or OperationCanceledException)
            {
                // As above.
            }
        }
    }

    public void Dispose() => _end.Dispose();

    /// <summary>A frame of the guest that was found good. Under the lock.</summary>
    public void Pass(HostChannel channel, in Frame frame)
    {
        if (!_sender.TryAdd(frame.Kind, frame.Stream, channel.ClientChannel, frame.Payload.Span))
        {
            _end.CancelAfter(TimeSpan.Zero);
        }
    }

    /// <summary>The link is down. Under the lock.</summary>
    public void Lose(HostChannel channel, string reason)
    {
        Forget(channel);
        _sender.TryAdd(WireJson.Failure(channel.ClientChannel, FailureCode.Failed, reason));
    }

    public void Forget(HostChannel channel) => _channels.Remove(channel.ClientChannel);

    private async Task ReadAsync(NetworkStream stream, CancellationToken cancellationToken)
    {
        var parser = new FrameParser();
        var greeted = false;
        while (true)
        {
            var count = await stream.ReadAsync(parser.Free(), cancellationToken);
            if (count == 0)
            {
                return;
            }

            parser.Advance(count);
            while (parser.TryRead(out var frame))
            {
                if (!greeted)
                {
                    greeted = frame.Kind == FrameKind.Hello && frame.Payload.Span is [WireLimits.Version] ? true : throw new WireException("the client did not greet");
                    _sender.TryAdd(FrameKind.Welcome, 0, 0, [WireLimits.Version]);
                    continue;
                }

                var link = warden.Link;
                if (link is not null)
                {
                    await link.Sender.RoomAsync(cancellationToken);
                }

                lock (gate)
                {
                    Take(frame);
                }
            }
        }
    }

    private void Take(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Ping when frame.Channel == 0 && frame.Payload.Length <= 64:
                _sender.TryAdd(FrameKind.Pong, 0, 0, frame.Payload.Span);
                break;
            case FrameKind.Request:
                Ask(frame);
                break;
            default:
                Relay(frame);
                break;
        }
    }

    private void Ask(in Frame frame)
    {
        if (frame.Channel is 0 or >= WireLimits.GuestBit || _channels.ContainsKey(frame.Channel))
        {
            throw new WireException("a request on a channel that is not free came");
        }

        var request = WireJson.ReadRequest(frame);
        switch (request)
        {
            case WardenRequest:
                _sender.TryAdd(WireJson.Response(frame.Channel, new WireResponse { Warden = warden.Describe() }));
                return;
            case ConnectRequest:
                _sender.TryAdd(WireJson.Failure(frame.Channel, FailureCode.Invalid, "only a guest asks for that"));
                return;
        }

        if (warden.Link is not { } link)
        {
            _sender.TryAdd(WireJson.Failure(frame.Channel, FailureCode.Unavailable, warden.Describe().LinkProblem ?? "the guest is not linked"));
            return;
        }

        var kind = request switch
        {
            ExecRequest or AttachRequest => ChannelKind.Program,
            DialRequest => ChannelKind.Connection,
            _ => ChannelKind.Question,
        };
        if (link.Open(this, frame.Channel, kind, request is AttachRequest or ExecRequest { Keep: true }) is not { } channel)
        {
            _sender.TryAdd(WireJson.Failure(frame.Channel, FailureCode.Exhausted, $"{WireLimits.MaxChannels} channels are open already"));
            return;
        }

        if (request is AttachRequest attach)
        {
            channel.Output.StartAt(attach.Output);
            channel.Error.StartAt(attach.Error);
        }

        _channels.Add(frame.Channel, channel);
        link.Sender.TryAdd(FrameKind.Request, 0, channel.LinkChannel, frame.Payload.Span);
    }

    private void Relay(in Frame frame)
    {
        if (!_channels.TryGetValue(frame.Channel, out var channel))
        {
            // Closed by the guest while this was under way.
            return;
        }

        channel.CheckFromClient(frame);
        if (frame.Kind == FrameKind.Close)
        {
            _channels.Remove(frame.Channel);
            if (frame.Stream == 1 && channel.IsKept)
            {
                channel.Client = null;
                return;
            }

            channel.Link.Remove(channel);
        }

        if (!channel.IsInputRefused || frame.Kind != FrameKind.Data)
        {
            channel.Link.Sender.TryAdd(frame.Kind, frame.Stream, channel.LinkChannel, frame.Payload.Span);
        }
    }

    /// <summary>Kept programs wait for whoever attaches next; the rest ends.</summary>
    private void Leave()
    {
        foreach (var channel in _channels.Values)
        {
            channel.Client = null;
            if (!channel.IsKept)
            {
                channel.Link.Remove(channel);
                channel.Link.Sender.TryAdd(FrameKind.Close, 0, channel.LinkChannel, []);
            }
        }

        _channels.Clear();
    }
}
