using System.Diagnostics;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests;

/// <summary>The real agent, as it is shipped, serving a unix socket of this test; and the host's end of its link.</summary>
internal sealed class HostEnd : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly byte[] _key = RandomNumberGenerator.GetBytes(Handshake.KeySize);
    private readonly string _folder = Directory.CreateTempSubdirectory("gg-").FullName;
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly Process _agent;
    private readonly Dictionary<uint, HostChannel> _channels = [];
    private readonly Lock _lock = new();

    // Not the one above: an agent that waits for us to read must not be waited for with it held.
    private readonly Lock _sending = new();
    private Socket? _socket;
    private Task _reading = Task.CompletedTask;
    private uint _last;

    private HostEnd()
    {
        _listener.Bind(new UnixDomainSocketEndPoint(Path.Combine(_folder, "link.sock")));
        _listener.Listen();
        File.WriteAllBytes(Path.Combine(_folder, "key"), _key);
        _agent = Process.Start(new ProcessStartInfo(Binary(), ["serve", "--connect", Path.Combine(_folder, "link.sock"), "--key", Path.Combine(_folder, "key")]))!;
    }

    public string Folder => _folder;

    public int ProcessId => _agent.Id;

    public bool HasExited => _agent.HasExited;

    /// <summary>Every connection of a guest that is asked for is answered by this.</summary>
    public Action<HostChannel, ConnectRequest>? OnConnect { get; set; }

    public Task LinkEnded => _reading.WaitAsync(Patience);

    public static async Task<HostEnd> StartAsync()
    {
        var host = new HostEnd();
        await host.LinkAsync();
        return host;
    }

    /// <summary>Waits for the agent to connect, and shakes hands. What a test sends before is not the agent's business.</summary>
    public async Task LinkAsync(params byte[][] before)
    {
        await AcceptAsync();
        var parser = new FrameParser();
        foreach (var bytes in before)
        {
            Send(bytes);
        }

        var nonce = RandomNumberGenerator.GetBytes(Handshake.NonceSize);
        Send(FrameWriter.Make(FrameKind.Hello, 0, Handshake.Hello(nonce)));
        byte[]? guest = null;
        while (guest is null)
        {
            var count = await ReceiveAsync(parser.Free());
            Assert.NotEqual(0, count);
            parser.Advance(count);
            while (guest is null && parser.TryRead(out var frame))
            {
                guest = frame.Kind == FrameKind.Welcome ? Handshake.ReadWelcome(frame.Payload.Span, _key, nonce) : null;
            }
        }

        Send(FrameWriter.Make(FrameKind.Proof, 0, Handshake.Proof(_key, nonce, guest)));
        _reading = Task.Run(() => ReadAsync(parser));
    }

    public async Task AcceptAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        _socket = await _listener.AcceptAsync(patience.Token);
    }

    public async Task<int> ReceiveAsync(Memory<byte> target)
    {
        using var patience = new CancellationTokenSource(Patience);
        return await _socket!.ReceiveAsync(target, patience.Token);
    }

    /// <summary>As when the warden dies.</summary>
    public async Task CutAsync()
    {
        _socket!.Dispose();
        await _reading.WaitAsync(Patience);
        lock (_lock)
        {
            _channels.Clear();
        }
    }

    public void Send(ReadOnlySpan<byte> frame)
    {
        lock (_sending)
        {
            try
            {
                while (!frame.IsEmpty)
                {
                    frame = frame[_socket!.Send(frame)..];
                }
            }
            catch (SocketException)
            {
                // Cut; whoever waits for an answer says so.
            }
        }
    }

    public HostChannel Ask(WireRequest request, Action<HostChannel>? prepare = null)
    {
        var channel = Add(++_last);
        prepare?.Invoke(channel);
        Send(WireJson.Request(channel.Number, request));
        return channel;
    }

    public HostChannel Shell(string script, Func<ExecRequest, ExecRequest>? change = null, Action<HostChannel>? prepare = null) => Ask(Script(script, change), prepare);

    public static ExecRequest Script(string script, Func<ExecRequest, ExecRequest>? change = null)
    {
        var request = new ExecRequest
        {
            Id = $"p{Guid.NewGuid():n}",
            Command = ["sh", "-c", script],
            Environment = new Dictionary<string, string> { ["PATH"] = "/usr/local/bin:/usr/bin:/bin" },
            Folder = "/",
            User = Environment.IsPrivilegedProcess ? "root" : "",
        };
        return change?.Invoke(request) ?? request;
    }

    public async ValueTask DisposeAsync()
    {
        if (!_agent.HasExited)
        {
            _agent.Kill();
        }

        await _agent.WaitForExitAsync().WaitAsync(Patience);
        _socket?.Dispose();
        _listener.Dispose();
        await _reading.WaitAsync(Patience);
        _agent.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    public static string Repository() => Path.GetFullPath(Path.Combine(Path.GetDirectoryName(Here())!, "../.."));

    private static string Here([CallerFilePath] string here = "") => here;

    private static string Binary()
    {
        var binary = Path.Combine(Repository(), "artifacts/native/gjoll-guest");
        return File.Exists(binary) ? binary : throw new InvalidOperationException("scripts/native makes the agent that these tests start");
    }

    private HostChannel Add(uint number)
    {
        var channel = new HostChannel(this, number);
        lock (_lock)
        {
            _channels.Add(number, channel);
        }

        return channel;
    }

    private async Task ReadAsync(FrameParser parser)
    {
        try
        {
            while (true)
            {
                while (parser.TryRead(out var frame))
                {
                    Take(frame);
                }

                var count = await _socket!.ReceiveAsync(parser.Free());
                if (count == 0)
                {
                    return;
                }

                parser.Advance(count);
            }
        }
        catch (Exception cut) when (cut is SocketException or ObjectDisposedException)
        {
            // The test or the agent has cut the link.
        }
    }

    private void Take(in Frame frame)
    {
        if (frame.Kind == FrameKind.Request)
        {
            var request = Assert.IsType<ConnectRequest>(WireJson.ReadRequest(frame));
            OnConnect?.Invoke(Add(frame.Channel), request);
            return;
        }

        HostChannel? channel;
        lock (_lock)
        {
            channel = _channels.GetValueOrDefault(frame.Channel);
        }

        channel?.Take(frame);
    }
}
