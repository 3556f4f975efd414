using Gjoll.Wire;

namespace Gjoll.Warden;

/// <summary>
/// One connection with a guest that has proved the key, and the channels on it. Every frame of the guest is judged before anything else sees it. All of
/// it but the sender is guarded by the warden's lock.
/// </summary>
internal sealed class Link(FrameSender sender, Lock gate, ForwardTable forwards)
{
    // All that doors have not taken yet. What is over it is cut, the connection that brought it first.
    private const int MaxWaiting = 32 * 1024 * 1024;

    // Closings cross: frames for a channel that was closed a moment ago are no offence. A guest can have no more open than this.
    private const int Remembered = WireLimits.MaxChannels;

    private readonly Dictionary<uint, HostChannel> _host = [];
    private readonly Dictionary<uint, (ForwardConnection Connection, Task Run)> _guest = [];
    private readonly HashSet<uint> _forgotten = [];
    private readonly Queue<uint> _forgottenOrder = [];
    private uint _next = 1;

    public FrameSender Sender => sender;

    public int Connections => _guest.Count;

    public int Waiting { get; set; }

    /// <summary>Null when there are too many.</summary>
    public HostChannel? Open(ClientSession client, uint clientChannel, ChannelKind kind, bool isKept)
    {
        if (_host.Count >= WireLimits.MaxChannels)
        {
            return null;
        }

        if (_next >= WireLimits.GuestBit)
        {
            throw new WireException("all channel numbers of this link are used up");
        }

        var channel = new HostChannel(this, client, clientChannel, _next++, kind, isKept);
        _host.Add(channel.LinkChannel, channel);
        return channel;
    }

    public void Remove(HostChannel channel) => _host.Remove(channel.LinkChannel);

    /// <summary>The guest's connection is over, on our side.</summary>
    public void Forget(uint channel)
    {
        if (_guest.Remove(channel, out var entry))
        {
            Waiting -= entry.Connection.Waiting;
            _forgotten.Add(channel);
            _forgottenOrder.Enqueue(channel);
            if (_forgottenOrder.Count > Remembered)
            {
                _forgotten.Remove(_forgottenOrder.Dequeue());
            }
        }
    }

    /// <exception cref="WireException">The guest broke a rule: the link must be cut.</exception>
    public void Take(in Frame frame)
    {
        if (frame.Channel == 0)
        {
            TakeOwn(frame);
        }
        else if ((frame.Channel & WireLimits.GuestBit) == 0)
        {
            TakeHost(frame);
        }
        else
        {
            TakeGuest(frame);
        }
    }

    /// <summary>The link is down: clients are told why, connections are reset.</summary>
    public async Task EndAsync(string reason)
    {
        Task[] runs;
        lock (gate)
        {
            foreach (var channel in _host.Values)
            {
                channel.Client?.Lose(channel, reason);
            }

            _host.Clear();
            foreach (var (connection, _) in _guest.Values)
            {
                connection.Abort();
            }

            runs = [.. _guest.Values.Select(entry => entry.Run)];
        }

        await Task.WhenAll(runs);
    }

    private void TakeOwn(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Ping when frame.Payload.Length <= 64:
                // Unread answers are no reason to keep more of them.
                sender.TryAdd(FrameKind.Pong, 0, 0, frame.Payload.Span);
                break;
            case FrameKind.Pong when frame.Payload.Length <= 64:
            case FrameKind.Welcome:
                // The answer to an earlier greeting, from before the guest heard the last one.
                break;
            default:
                throw new WireException($"a frame of kind {(byte)frame.Kind} came without a channel");
        }
    }

    private void TakeHost(in Frame frame)
    {
        if (!_host.TryGetValue(frame.Channel, out var channel))
        {
            if (frame.Channel >= _next || frame.Kind is < FrameKind.Response or > FrameKind.Close)
            {
                throw new WireException("a channel that nobody opened was named");
            }

            // Closed on our side while this was under way.
            return;
        }

        channel.CheckFromGuest(frame);
        if (frame.Kind is FrameKind.Failure or FrameKind.Close || (frame.Kind == FrameKind.Response && channel.Kind == ChannelKind.Question))
        {
            _host.Remove(frame.Channel);
            channel.Client?.Forget(channel);
        }

        channel.Client?.Pass(channel, frame);
    }

    private void TakeGuest(in Frame frame)
    {
        if (frame.Kind == FrameKind.Request)
        {
            Connect(frame);
        }
        else if (_guest.TryGetValue(frame.Channel, out var entry))
        {
            var before = entry.Connection.Waiting;
            entry.Connection.Take(frame);
            Waiting += entry.Connection.Waiting - before;
            if (Waiting > MaxWaiting)
            {
                entry.Connection.Abort();
            }
        }
        else if (!_forgotten.Contains(frame.Channel) && frame.Kind != FrameKind.Close)
        {
            throw new WireException("a channel that nobody opened was named");
        }
    }

    private void Connect(in Frame frame)
    {
        if (_guest.ContainsKey(frame.Channel))
        {
            throw new WireException("a channel was opened twice");
        }

        if (WireJson.ReadRequest(frame) is not ConnectRequest request)
        {
            throw new WireException("the guest asked for what is not its to ask");
        }

        if (_guest.Count >= WireLimits.MaxChannels)
        {
            throw new WireException("more channels were opened than may be");
        }

        var id = frame.Channel;
        if (_guest.Values.Count(entry => entry.Connection.Forward == request.Forward) >= ForwardTable.MaxConnections)
        {
            sender.TryAdd(WireJson.Failure(id, FailureCode.Exhausted, "too many connections of this forward are open"));
            return;
        }

        var connection = new ForwardConnection(this, id, request.Forward);
        var socket = forwards.Socket(request.Forward);
        // Off this thread: it holds the lock.
        _guest.Add(id, (connection, Task.Run(() => RunAsync(connection, id, socket))));
    }

    private async Task RunAsync(ForwardConnection connection, uint id, string? socket)
    {
        using (connection)
        {
            await connection.RunAsync(socket, gate);
        }
    }
}
