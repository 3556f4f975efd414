using System.Net.Sockets;
using Gjoll.Hosts;

namespace Gjoll.Safety;

/// <summary>A door of the host that says its name to whoever comes, or, frozen, takes nobody in.</summary>
internal sealed class HostDoor : IAsyncDisposable
{
    private readonly CancellationTokenSource _end = new();
    private readonly Socket _listener;
    private readonly byte[] _name;
    private readonly Task _serving;
    private int _served;

    public HostDoor(string folder, string socket, string name, bool frozen = false)
    {
        _name = System.Text.Encoding.UTF8.GetBytes(name);
        _listener = UnixSocket.Listen(folder, socket, backlog: 16);
        _serving = frozen ? Task.CompletedTask : ServeAsync();
    }

    /// <summary>How many were let in so far.</summary>
    public int Served => Volatile.Read(ref _served);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _listener.Dispose();
        await _serving;
        _end.Dispose();
    }

    private async Task ServeAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            try
            {
                using var guest = await _listener.AcceptAsync(_end.Token);
                Interlocked.Increment(ref _served);
                await guest.SendAsync(_name, _end.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // That guest has gone; the next one may come.
            }
        }
    }
}
