using System.Net.Sockets;
using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>
/// One connection to a sandbox's warden, and any number of programs and connections over it. It ends when the warden does; whoever holds it makes another.
/// Thread-safe.
/// </summary>
internal sealed class WardenClient : IAsyncDisposable
{
    private const int Comfort = 1024 * 1024;

    // Every answer but that of a stopped guest comes at once; a guest under emulation may take its time.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Lock _gate = new();
    private readonly Dictionary<uint, ClientChannel> _channels = [];
    private readonly NetworkStream _stream;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _end = new();
    private Task _carrying = Task.CompletedTask;
    private uint _next = 1;
    private string? _lost;

    private WardenClient(Socket socket, TimeProvider time)
    {
        _stream = new NetworkStream(socket, ownsSocket: true);
        _time = time;
        Sender = new FrameSender(_stream, Comfort, int.MaxValue / 2);
    }

    public FrameSender Sender { get; }

    public bool IsConnected => Volatile.Read(ref _lost) is null;

    /// <exception cref="GjollException">Nobody listens, or it is no warden of this version; transient.</exception>
    public static async Task<WardenClient> ConnectAsync(string socket, TimeProvider time, CancellationToken cancellationToken)
    {
        var connection = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        WardenClient? client = null;
        try
        {
            await connection.ConnectAsync(new UnixDomainSocketEndPoint(socket), cancellationToken);
            client = new WardenClient(connection, time);
            await client.GreetAsync(cancellationToken);
            return client;
        }
        catch (Exception failure) when (failure is SocketException or IOException or WireException or OperationCanceledException)
        {
            connection.Dispose();
            if (client is not null)
            {
                await client.DisposeAsync();
            }

            if (failure is OperationCanceledException)
            {
                throw;
            }

            throw new GjollException($"Could not reach the warden at {socket}: {failure.Message}", isTransient: true, failure);
        }
    }

    /// <summary>One question and its answer.</summary>
    public async Task<WireResponse> AskAsync(WireRequest request, CancellationToken cancellationToken)
    {
        var (channel, answer) = await OpenAsync(request, null, cancellationToken);
        Forget(channel);
        return answer;
    }

    /// <summary>Opens a channel. From the answer on its frames go to <paramref name="owner"/>.</summary>
    /// <exception cref="ChannelException">The guest or the warden said no.</exception>
    /// <exception cref="GjollException">No answer came; transient.</exception>
    public async Task<(ClientChannel Channel, WireResponse Answer)> OpenAsync(WireRequest request, IChannelOwner? owner, CancellationToken cancellationToken)
    {
        ClientChannel channel;
        lock (_gate)
        {
            if (_lost is not null)
            {
                throw Lost(_lost);
            }

            while (_next is 0 or >= WireLimits.GuestBit || _channels.ContainsKey(_next))
            {
                _next = _next >= WireLimits.GuestBit ? 1 : _next + 1;
            }

            channel = new ClientChannel(this, _next++, owner);
            _channels.Add(channel.Number, channel);
        }

        byte[] frame;
        try
        {
            frame = WireJson.Request(channel.Number, request);
        }
        catch (WireException tooLong)
        {
            Forget(channel);
            throw new ArgumentException("Command and environment together are too long.", nameof(request), tooLong);
        }

        Sender.TryAdd(frame);
        try
        {
            return (channel, await channel.Answer.Task.WaitAsync(Patience, _time, cancellationToken));
        }
        catch (TimeoutException)
        {
            channel.Close(leave: false);
            throw new GjollException($"The guest did not answer within {Patience}.", isTransient: true);
        }
        catch (OperationCanceledException)
        {
            channel.Close(leave: false);
            throw;
        }
    }

    public void Forget(ClientChannel channel)
    {
        lock (_gate)
        {
            _channels.Remove(channel.Number);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _carrying;
        await _stream.DisposeAsync();
        _end.Dispose();
    }

    private async Task GreetAsync(CancellationToken cancellationToken)
    {
        var parser = new FrameParser();
        await _stream.WriteAsync(FrameWriter.Make(FrameKind.Hello, 0, [WireLimits.Version]), cancellationToken);
        Frame frame;
        while (!parser.TryRead(out frame))
        {
            var count = await _stream.ReadAsync(parser.Free(), cancellationToken);
            if (count == 0)
            {
                throw new IOException("it closed the connection");
            }

            parser.Advance(count);
        }

        if (frame.Kind != FrameKind.Welcome || frame.Payload.Span is not [WireLimits.Version])
        {
            throw new WireException("it speaks another version");
        }

        _carrying = CarryAsync(parser);
    }

    private async Task CarryAsync(FrameParser parser)
    {
        var reason = "the warden ended";
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        var sending = Sender.RunAsync(stop.Token);
        var reading = ReadAsync(parser, stop.Token);
        try
        {
            await await Task.WhenAny(sending, reading);
        }
        catch (WireException broken)
        {
            reason = "the warden broke the protocol: " + broken.Message;
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // Said by the reason.
        }

        await stop.CancelAsync();
        await Task.WhenAll(sending, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await _stream.DisposeAsync();
        List<ClientChannel> channels;
        lock (_gate)
        {
            _lost = reason;
            channels = [.. _channels.Values];
            _channels.Clear();
        }

        foreach (var channel in channels)
        {
            if (!channel.Answer.TrySetException(Lost(reason)))
            {
                channel.Owner?.Lose(reason);
            }
        }
    }

    private async Task ReadAsync(FrameParser parser, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (parser.TryRead(out var frame))
            {
                Dispatch(frame);
            }

            var count = await _stream.ReadAsync(parser.Free(), cancellationToken);
            if (count == 0)
            {
                return;
            }

            parser.Advance(count);
        }
    }

    private void Dispatch(in Frame frame)
    {
        ClientChannel? channel;
        lock (_gate)
        {
            // Closed on our side while this was under way.
            if (!_channels.TryGetValue(frame.Channel, out channel))
            {
                return;
            }

            if (frame.Kind is FrameKind.Failure or FrameKind.Close)
            {
                _channels.Remove(frame.Channel);
            }
        }

        switch (frame.Kind)
        {
            case FrameKind.Response:
                var answer = WireJson.ReadResponse(frame);
                channel.Owner?.Open(channel, answer);
                channel.Answer.TrySetResult(answer);
                break;
            case FrameKind.Failure when !channel.Answer.Task.IsCompleted:
                var failure = WireJson.ReadFailure(frame);
                channel.Answer.TrySetException(new ChannelException(failure.Code, failure.Message));
                break;
            default:
                channel.Owner?.Receive(frame);
                break;
        }
    }

    private static GjollException Lost(string reason) => new($"The connection to the guest was lost: {reason}.", isTransient: true);
}
