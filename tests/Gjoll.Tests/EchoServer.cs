using System.Net.Sockets;

namespace Gjoll.Tests;

/// <summary>Answers every connection on a unix socket with its name, then with all it was sent, once that has ended.</summary>
internal sealed class EchoServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource _end = new();
    private readonly List<Task> _connections = [];
    private readonly Task _accepting;
    private readonly string _name;

    public EchoServer(string path, string name)
    {
        _name = name;
        File.Delete(path);
        _listener.Bind(new UnixDomainSocketEndPoint(path));
        _listener.Listen(128);
        _accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_connections);
        _end.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                _connections.Add(AnswerAsync(await _listener.AcceptAsync(_end.Token)));
            }
        }
        catch (Exception closed) when (closed is OperationCanceledException or SocketException or ObjectDisposedException)
        {
        }
    }

    private async Task AnswerAsync(Socket socket)
    {
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        using var received = new MemoryStream();
        try
        {
            await stream.CopyToAsync(received, _end.Token);
            await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(_name + ":"), _end.Token);
            await stream.WriteAsync(received.ToArray(), _end.Token);
            socket.Shutdown(SocketShutdown.Send);
        }
        catch (Exception closed) when (closed is OperationCanceledException or IOException)
        {
        }
    }
}
