using System.Net.Sockets;

namespace Gjoll.Tests.Wardens;

/// <summary>Takes every connection, and neither reads nor writes.</summary>
internal sealed class SilentDoor : IAsyncDisposable
{
    private readonly string _folder = TestHost.MakeFolder();
    private readonly CancellationTokenSource _end = new();
    private readonly List<Socket> _held = [];
    private readonly Task _accepting;

    public SilentDoor()
    {
        var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(Path));
        listener.Listen(1024);
        _held.Add(listener);
        _accepting = AcceptAsync(listener);
    }

    public string Path => System.IO.Path.Combine(_folder, "silent.sock");

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _accepting;
        _held.ForEach(socket => socket.Dispose());
        _end.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                _held.Add(await listener.AcceptAsync(_end.Token));
            }
        }
        catch (OperationCanceledException)
        {
            // Disposed.
        }
    }
}
