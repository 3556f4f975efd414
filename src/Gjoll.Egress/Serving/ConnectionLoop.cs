using System.Collections.Concurrent;
using System.Net.Sockets;
using Microsoft.Extensions.Logging;

namespace Gjoll.Egress.Serving;

/// <summary>Accepts raw connections on one unix socket, a bounded number at a time, until disposed.</summary>
/// <remarks>The path must be free; whoever gives it removes what is left there before and after.</remarks>
public sealed partial class ConnectionLoop : IAsyncDisposable
{
    private static readonly TimeSpan Breather = TimeSpan.FromMilliseconds(200);

    private readonly Socket listener = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<long, Task> underWay = new();
    private readonly SemaphoreSlim slots;
    private readonly Func<Stream, CancellationToken, Task> serve;
    private readonly TimeProvider time;
    private readonly ILogger logger;
    private readonly Task loop;

    public ConnectionLoop(string path, int maxConnections, Func<Stream, CancellationToken, Task> serve, TimeProvider time, ILogger logger)
    {
        this.serve = serve;
        this.time = time;
        this.logger = logger;
        slots = new SemaphoreSlim(maxConnections);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen(maxConnections);
        loop = AcceptAsync();
    }

    /// <summary>Listens no more, cuts every connection and waits until the last is served.</summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        listener.Dispose();
        await loop;
        await Task.WhenAll(underWay.Values);
        slots.Dispose();
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            for (var number = 0L; ; number++)
            {
                await slots.WaitAsync(stopping.Token);
                if (await AcceptOneAsync() is not { } connection)
                {
                    slots.Release();
                    continue;
                }

                var mine = number;
                var served = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                underWay[mine] = served.Task;
                _ = Task.Run(() => ServeAsync(connection, mine, served), CancellationToken.None);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or ObjectDisposedException or SocketException && stopping.IsCancellationRequested)
        {
            // Closed by us.
        }
    }

    /// <summary>The next connection; null when the host had no means for one, such as a file descriptor. That passes, and the door must outlast it.</summary>
    private async Task<Socket?> AcceptOneAsync()
    {
        try
        {
            return await listener.AcceptAsync(stopping.Token);
        }
        catch (SocketException problem) when (!stopping.IsCancellationRequested)
        {
            LogNotAccepted(problem.Message);
            await Task.Delay(Breather, time, stopping.Token);
            return null;
        }
    }

    private async Task ServeAsync(Socket connection, long number, TaskCompletionSource served)
    {
        try
        {
            await using var stream = new NetworkStream(connection, ownsSocket: true);
            await serve(stream, stopping.Token);
        }
        catch (Exception end) when (end is IOException or SocketException or OperationCanceledException or ObjectDisposedException)
        {
            LogEnded(end.Message);
        }
        finally
        {
            underWay.TryRemove(number, out _);
            slots.Release();
            served.SetResult();
        }
    }

    [LoggerMessage(LogLevel.Warning, "a connection could not be accepted: {Reason}")]
    private partial void LogNotAccepted(string reason);

    [LoggerMessage(LogLevel.Debug, "connection ended: {Reason}")]
    private partial void LogEnded(string reason);
}
