using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Egress.Tests;

/// <summary>The egress proxy between a client and servers that are all on loopback.</summary>
internal sealed class EgressLab : IAsyncDisposable
{
    private readonly CancellationTokenSource ended = new();
    private readonly List<Task> serving = [];
    private readonly List<IDisposable> owned = [];
    private readonly EgressProxy proxy;

    public EgressLab(params string[] allowed)
    {
        Admission = new Admissions(allowed, ended.Token);
        proxy = new EgressProxy(Options, Audit, ResolveAsync, "Gjoll", TimeProvider.System, NullLogger<EgressProxy>.Instance);
    }

    public AuditRecorder Audit { get; } = new();

    public EgressOptions Options { get; } = new();

    public IEgressAdmission? Admission { get; set; }

    public Dictionary<string, string[]> Names { get; } = [];

    public List<string> Lookups { get; } = [];

    public void End() => ended.Cancel();

    /// <summary>Makes a name lead to a lab server and lets it.</summary>
    public int Serve(string host, LabServer server)
    {
        owned.Add(server);
        Names[host] = ["127.0.0.1"];
        Options.AllowedAddresses.Add(new AllowedAddress { Host = host, Address = $"127.0.0.1:{server.Port}" });
        return server.Port;
    }

    /// <summary>A new connection from the guest.</summary>
    public async Task<NetworkStream> ConnectAsync()
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await client.ConnectAsync(listener.LocalEndPoint!);
        var accepted = await listener.AcceptAsync();
        serving.Add(proxy.ServeAsync(new NetworkStream(accepted, ownsSocket: true), () => Admission, Admissions.Sandbox, TestContext.Current.CancellationToken));
        var stream = new NetworkStream(client, ownsSocket: true);
        owned.Add(stream);
        return stream;
    }

    /// <summary>Sends bytes, says that it is done when asked, and reads all that comes.</summary>
    public async Task<string> AskAsync(string request, bool isDone = false)
    {
        var client = await ConnectAsync();
        await client.WriteAsync(Encoding.Latin1.GetBytes(request));
        if (isDone)
        {
            client.Socket.Shutdown(SocketShutdown.Send);
        }

        return await ReadAllAsync(client);
    }

    /// <summary>Opens a tunnel with the right token.</summary>
    public async Task<NetworkStream> TunnelAsync(string host, int port)
    {
        var client = await ConnectAsync();
        await client.WriteAsync(Encoding.ASCII.GetBytes($"CONNECT {host}:{port} HTTP/1.1\r\n{Auth}\r\n"));
        var answer = new byte[39];
        await client.ReadExactlyAsync(answer, TestContext.Current.CancellationToken);
        Assert.Equal("HTTP/1.1 200 Connection Established\r\n\r\n", Encoding.ASCII.GetString(answer));
        return client;
    }

    public static string Auth { get; } =
        $"Proxy-Authorization: Basic {Convert.ToBase64String(Encoding.ASCII.GetBytes("gjoll:" + Admissions.Token))}\r\n";

    public static async Task<string> ReadAllAsync(Stream stream)
    {
        var all = new MemoryStream();
        try
        {
            await stream.CopyToAsync(all, TestContext.Current.CancellationToken);
        }
        catch (IOException)
        {
            // Reset: the other side closed with bytes unread.
        }

        return Encoding.Latin1.GetString(all.ToArray());
    }

    public async Task ServedAsync() => await Task.WhenAll(serving).WaitAsync(TestContext.Current.CancellationToken);

    public async ValueTask DisposeAsync()
    {
        owned.ForEach(one => one.Dispose());
        await ended.CancelAsync();
        await Task.WhenAll(serving);
        ended.Dispose();
    }

    private Task<IPAddress[]> ResolveAsync(string host, CancellationToken cancellationToken)
    {
        lock (Lookups)
        {
            Lookups.Add(host);
        }

        return Names.TryGetValue(host, out var addresses)
            ? Task.FromResult<IPAddress[]>([.. addresses.Select(IPAddress.Parse)])
            : throw new SocketException((int)SocketError.HostNotFound);
    }
}
