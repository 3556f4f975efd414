using System.Net.Sockets;
using System.Security.Cryptography;
using Gjoll.Wire;

namespace Gjoll.Tests.Wardens;

/// <summary>
/// The guest's end of a link, in this process: it knows the handshake and hands every other frame to the test. It keeps a link until the warden ends it,
/// and then makes the next, as the real one does.
/// </summary>
internal sealed class FakeGuest : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly byte[] _key;
    private readonly Action<FakeLink, Frame> _receive;
    private readonly Task _running;
    private readonly Socket? _listener;

    /// <param name="rig">Whose warden.</param>
    /// <param name="receive">Gets every frame after the handshake, on the link's own task.</param>
    /// <param name="guestConnects">Or else the warden does, as with a machine monitor.</param>
    /// <param name="key">Null is the true one.</param>
    public FakeGuest(WardenRig rig, Action<FakeLink, Frame> receive, bool guestConnects = true, byte[]? key = null)
    {
        (_key, _receive) = (key ?? rig.Key, receive);
        if (!guestConnects)
        {
            _listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            _listener.Bind(new UnixDomainSocketEndPoint(rig.Link));
            _listener.Listen(1);
        }

        _running = RunAsync(rig.Link);
    }

    /// <summary>Counts links whose handshake has ended.</summary>
    public int Links { get; private set; }

    public FakeLink? Link { get; private set; }

    /// <summary>Sent before the answer to a greeting: what an earlier link left behind.</summary>
    public byte[] Leftover { get; init; } = [];

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _running;
        _listener?.Dispose();
        _end.Dispose();
    }

    private async Task RunAsync(string path)
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var socket = _listener is not null
                    ? await _listener.AcceptAsync(_end.Token)
                    : new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
                if (_listener is null)
                {
                    await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), _end.Token);
                }

                await using var stream = new NetworkStream(socket);
                await CarryAsync(stream);
            }
            catch (Exception ended) when (ended is IOException or SocketException or OperationCanceledException or WireException)
            {
                // The socket is made anew in a moment.
                await Task.Delay(2, CancellationToken.None);
            }
        }
    }

    private async Task CarryAsync(NetworkStream stream)
    {
        var parser = new FrameParser();
        var link = new FakeLink(stream);
        byte[] host = [], guest = [];
        using var end = CancellationTokenSource.CreateLinkedTokenSource(_end.Token);
        var sending = link.Sender.RunAsync(end.Token);
        try
        {
            while (true)
            {
                while (parser.TryRead(out var frame))
                {
                    switch (frame.Kind)
                    {
                        case FrameKind.Hello:
                            host = Handshake.ReadHello(frame.Payload.Span);
                            guest = RandomNumberGenerator.GetBytes(Handshake.NonceSize);
                            link.Sender.TryAdd(Leftover);
                            link.Sender.TryAdd(FrameKind.Welcome, 0, 0, Handshake.Welcome(_key, host, guest));
                            break;
                        case FrameKind.Proof when Handshake.IsProof(frame.Payload.Span, _key, host, guest):
                            Link = link;
                            Links++;
                            break;
                        default:
                            if (Link == link)
                            {
                                _receive(link, frame);
                            }

                            break;
                    }
                }

                var count = await stream.ReadAsync(parser.Free(), end.Token);
                if (count == 0)
                {
                    return;
                }

                parser.Advance(count);
            }
        }
        finally
        {
            await end.CancelAsync();
            await sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            Link = null;
        }
    }
}

internal sealed class FakeLink(Stream stream)
{
    public FrameSender Sender { get; } = new(stream, 1 << 20, 64 << 20);
}
