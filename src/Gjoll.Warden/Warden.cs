using System.Net.Sockets;
using Gjoll.Wire;

namespace Gjoll.Warden;

/// <summary>
/// Stands between one guest and the host: makes the link and makes it again, judges every frame, passes those of programs to the clients that asked for
/// them, and connects the guest's forwards to the host sockets of the table. It decides nothing and holds no credential but the sandbox's own key.
/// </summary>
internal sealed class Warden(WardenOptions options, TimeProvider time) : IDisposable
{
    private const int MaxClients = 256;
    private const int MaxNewcomers = 8;
    private const int LinkComfort = 1024 * 1024;
    private const int LinkLimit = 16 * 1024 * 1024;

    private static readonly TimeSpan Again = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Later = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Greeting = TimeSpan.FromSeconds(20);

    private readonly Lock _gate = new();
    private readonly HashSet<ClientSession> _clients = [];
    private readonly ForwardTable _forwards = new(options.Forwards);
    private readonly LinkMaker _maker = new(options, time);
    private volatile Link? _link;
    private CancellationTokenSource? _present;
    private string? _problem;
    private int _links;
    private int _newcomers;

    /// <summary>Null while the guest is not linked.</summary>
    public Link? Link => _link;

    /// <summary>Under the lock, or for display.</summary>
    public WardenState Describe() => new(_link is not null, _problem, _links, _clients.Count, _link?.Connections ?? 0, Environment.ProcessId);

    /// <summary>Reads the table of forwards again.</summary>
    public void Refresh()
    {
        lock (_gate)
        {
            if (!_forwards.TryRefresh(out var problem))
            {
                _problem = problem;
            }
        }
    }

    /// <summary>Serves until it is cancelled. <paramref name="ready"/> is called when clients can connect.</summary>
    public async Task RunAsync(Action ready, CancellationToken cancellationToken)
    {
        Refresh();
        using var control = UnixSockets.Listen(options.Control);
        using var link = options.LinkListen is { } path ? UnixSockets.Listen(path) : null;
        ready();
        await Task.WhenAll(
            AcceptAsync(control, ServeClientAsync, cancellationToken),
            link is not null ? AcceptAsync(link, WelcomeNewcomerAsync, cancellationToken)
            : options.LinkConnect is { } monitor ? ConnectAsync(token => UnixSockets.ConnectAsync(monitor, token), Again, cancellationToken)
            : ConnectAsync(_ => Task.FromResult<Stream>(CommandLink.Start(options.LinkCommand!)), Later, cancellationToken));
    }

    public void Dispose() => _present?.Dispose();

    private async Task AcceptAsync(Socket listener, Func<Socket, CancellationToken, Task> serve, CancellationToken cancellationToken)
    {
        var running = new HashSet<Task>();
        try
        {
            while (true)
            {
                try
                {
                    var socket = await listener.AcceptAsync(cancellationToken);
                    running.RemoveWhere(task => task.IsCompleted);
                    running.Add(serve(socket, cancellationToken));
                }
                catch (SocketException)
                {
                    // Out of descriptors, or the other end was gone before we came: the next one may have more luck.
                    await Task.Delay(Again, time, cancellationToken);
                }
            }
        }
        finally
        {
            await Task.WhenAll(running);
        }
    }

    private async Task ServeClientAsync(Socket socket, CancellationToken cancellationToken)
    {
        // The folder keeps others out; this holds when somebody has opened it.
        var user = UnixSockets.PeerUser(socket);
        if (user != 0 && user != Native.EffectiveUserId())
        {
            socket.Dispose();
            return;
        }

        using var client = new ClientSession(this, socket, _gate);
        lock (_gate)
        {
            if (_clients.Count >= MaxClients)
            {
                socket.Dispose();
                return;
            }

            _clients.Add(client);
        }

        try
        {
            await client.RunAsync(cancellationToken);
        }
        finally
        {
            lock (_gate)
            {
                _clients.Remove(client);
            }
        }
    }

    private async Task ConnectAsync(Func<CancellationToken, Task<Stream>> open, TimeSpan again, CancellationToken cancellationToken)
    {
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            try
            {
                await using var stream = await open(cancellationToken);
                var parser = new FrameParser();
                await _maker.GreetAsync(stream, parser, Report, cancellationToken);
                await CarryAsync(stream, parser, cancellationToken);
            }
            catch (Exception failure) when (failure is SocketException or IOException)
            {
                Report(failure.Message);
            }

            await Task.Delay(again, time, cancellationToken);
        }
    }

    /// <summary>Anybody in the guest can connect; who does not prove the key changes nothing.</summary>
    private async Task WelcomeNewcomerAsync(Socket socket, CancellationToken cancellationToken)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        if (Interlocked.Increment(ref _newcomers) > MaxNewcomers)
        {
            Interlocked.Decrement(ref _newcomers);
            return;
        }

        var parser = new FrameParser();
        try
        {
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
            bounded.CancelAfter(Greeting);
            await _maker.GreetAsync(stream, parser, static _ => { }, bounded.Token);
        }
        catch (Exception failure) when (failure is IOException || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return;
        }
        finally
        {
            Interlocked.Decrement(ref _newcomers);
        }

        await CarryAsync(stream, parser, cancellationToken);
    }

    /// <summary>From the guest's proof to the end of the link, whose reason is then the present problem.</summary>
    private async Task CarryAsync(Stream stream, FrameParser parser, CancellationToken cancellationToken)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sender = new FrameSender(stream, LinkComfort, LinkLimit);
        var link = new Link(sender, _gate, _forwards);
        lock (_gate)
        {
            _present?.CancelAfter(TimeSpan.Zero);
            _present = end;
            _link = link;
            _problem = null;
            _links++;
        }

        var sending = sender.RunAsync(end.Token);
        var reading = ReadAsync(stream, parser, link, end.Token);
        var reason = "the link to the guest ended";
        try
        {
            await await Task.WhenAny(sending, reading);
        }
        catch (WireException broken)
        {
            reason = "the guest broke the protocol: " + broken.Message;
        }
        catch (Exception failure) when (failure is IOException or OperationCanceledException)
        {
            // The other end is gone, was replaced, or we stop.
        }
        finally
        {
            lock (_gate)
            {
                if (_link == link)
                {
                    _link = null;
                    _present = null;
                    _problem = reason;
                }
            }

            await end.CancelAsync();
            await link.EndAsync(reason);
            await Task.WhenAll(sending, reading).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ReadAsync(Stream stream, FrameParser parser, Link link, CancellationToken cancellationToken)
    {
        while (true)
        {
            // What came together with the proof is in the parser already.
            while (parser.TryRead(out var frame))
            {
                lock (_gate)
                {
                    link.Take(frame);
                }
            }

            var count = await stream.ReadAsync(parser.Free(), cancellationToken);
            if (count == 0)
            {
                return;
            }

            parser.Advance(count);
        }
    }

    private void Report(string problem)
    {
        lock (_gate)
        {
            _problem = problem;
        }
    }
}
