using System.Net;
using System.Net.Sockets;
using System.Text;
using Gjoll.Wire;

namespace Gjoll.Guest.Tests;

public sealed class ForwardTests : IAsyncLifetime
{
    private HostEnd _host = null!;

    public async ValueTask InitializeAsync() => _host = await HostEnd.StartAsync();

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    [Fact]
    public async Task Listeners_CarryFiftyConnectionsAtOnce()
    {
        var path = Path.Combine(_host.Folder, "forward.sock");
        await RenewAsync(new GuestListener(null, path));
        _host.OnConnect = (channel, request) =>
        {
            Assert.Equal(0, request.Forward);
            _host.Send(WireJson.Response(channel.Number, new WireResponse()));
            _ = EchoAsync(channel);
        };

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async number =>
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path));
            var sent = new byte[200_000];
            new Random(number).NextBytes(sent);
            var receiving = ReceiveAllAsync(socket);
            await SendAllAsync(socket, sent);

            // Half closed: the echo is still to come.
            socket.Shutdown(SocketShutdown.Send);
            Assert.Equal(sent, await receiving);
        }));
    }

    [Fact]
    public async Task Listeners_TakeAPortAndGiveItBack()
    {
        var port = FreePort();
        _host.OnConnect = (channel, _) => _host.Send(WireJson.Failure(channel.Number, FailureCode.Unavailable, "nothing is behind it"));
        await RenewAsync(new GuestListener(port, null));
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, port);

        // Refused by the host: the program sees a connection that breaks.
        await Assert.ThrowsAsync<IOException>(() => client.GetStream().ReadExactlyAsync(new byte[1]).AsTask().WaitAsync(HostEnd.Patience));

        await RenewAsync();
        using var late = new TcpClient();
        await Assert.ThrowsAsync<SocketException>(() => late.ConnectAsync(IPAddress.Loopback, port));
    }

    [Fact]
    public async Task Listeners_SayWhichCouldNotBe()
    {
        using var taken = new TcpListener(IPAddress.Loopback, 0);
        taken.Start();

        var failure = await _host.Ask(Renewal(new GuestListener(((IPEndPoint)taken.LocalEndpoint).Port, null), new GuestListener(null, "relative"))).FailureAsync();

        Assert.Contains("listen on port", failure.Message, StringComparison.Ordinal);
        Assert.Contains("listen on relative", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Dial_CarriesFiftyConnectionsAtOnce()
    {
        using var server = new TcpListener(IPAddress.Loopback, 0);
        server.Start();
        var port = ((IPEndPoint)server.LocalEndpoint).Port;
        var serving = Task.WhenAll(Enumerable.Range(0, 50).Select(async _ =>
        {
            using var socket = await server.AcceptSocketAsync();
            var received = await ReceiveAllAsync(socket);
            await SendAllAsync(socket, received);
        }));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(async number =>
        {
            var channel = _host.Ask(new DialRequest(port));
            await channel.ResponseAsync();
            var sent = new byte[100_000];
            new Random(number).NextBytes(sent);
            await channel.SendAsync(sent);
            channel.EndInput();
            await channel.EndedAsync(WireStream.Output);
            Assert.Equal(sent, channel.Bytes(WireStream.Output));
            await channel.Closed;
        }));
        await serving.WaitAsync(HostEnd.Patience);
    }

    [Fact]
    public async Task Dial_SaysThatNobodyListens()
    {
        Assert.Equal(FailureCode.Unavailable, (await _host.Ask(new DialRequest(FreePort())).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(new DialRequest(0)).FailureAsync()).Code);
        Assert.Equal(FailureCode.Invalid, (await _host.Ask(new DialRequest(70_000)).FailureAsync()).Code);
    }

    [Fact]
    public async Task Renew_SaysWhatIsNotTheAgentsToChange()
    {
        var failure = await _host.Ask(Renewal() with { Hostname = "no-such-name", GrowDisk = true }).FailureAsync();

        Assert.Equal(FailureCode.Failed, failure.Code);
        Assert.Contains("the host name", failure.Message, StringComparison.Ordinal);
        Assert.Contains("the size of the disk", failure.Message, StringComparison.Ordinal);
        Assert.NotEqual("no-such-name", Environment.MachineName);
    }

    private static RenewRequest Renewal(params GuestListener[] listeners) => new()
    {
        Time = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000,
        Entropy = Convert.ToBase64String(new byte[32]),
        Hostname = Environment.MachineName,
        MachineId = MachineId(),
        Listeners = listeners,
    };

    private static string MachineId() => File.Exists("/etc/machine-id") ? File.ReadAllText("/etc/machine-id").Trim() : "";

    private async Task RenewAsync(params GuestListener[] listeners) => await _host.Ask(Renewal(listeners)).ResponseAsync();

    private static async Task EchoAsync(HostChannel channel)
    {
        await channel.EndedAsync(WireStream.Output);
        await channel.SendAsync(channel.Bytes(WireStream.Output));
        channel.EndInput();
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes)..];
        }
    }

    private static async Task<byte[]> ReceiveAllAsync(Socket socket)
    {
        using var all = new MemoryStream();
        var buffer = new byte[65536];
        while (true)
        {
            var count = await socket.ReceiveAsync(buffer).WaitAsync(HostEnd.Patience);
            if (count == 0)
            {
                return all.ToArray();
            }

            all.Write(buffer, 0, count);
        }
    }
}
