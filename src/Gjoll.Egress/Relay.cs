using System.Buffers;
using System.Net.Sockets;

namespace Gjoll.Egress;

/// <summary>Why a relay ended.</summary>
internal enum RelayEnd
{
    Finished,
    Broken,
    Idle,
    UploadCap,
    DownloadCap,
}

/// <summary>Bytes from one side to the other, each way, no faster than they are taken.</summary>
internal sealed class Relay(TimeProvider time, TimeSpan idleTimeout, long maxUpload, long maxDownload)
{
    private const int BufferSize = 64 * 1024;

    /// <summary>
    /// Carries bytes until both sides are done, one breaks, nothing moves for too long or a cap is reached. <paramref name="upload"/> is how
    /// many bytes of the client may follow, null for as many as it has.
    /// </summary>
    public async Task<RelayEnd> RunAsync(Stream client, Stream server, long? upload, CancellationToken cancellationToken)
    {
        using var idle = new CancellationTokenSource(idleTimeout, time);
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, idle.Token);

        var up = upload is { } exact
            ? PumpAsync(client, server, exact, RelayEnd.Finished, idle, both.Token)
            : PumpToEndAsync(client, server, maxUpload, RelayEnd.UploadCap, idle, both.Token);
        var down = PumpToEndAsync(server, client, maxDownload, RelayEnd.DownloadCap, idle, both.Token);

        var first = await Task.WhenAny(up, down);
        var end = await first;

        // An answer that is complete, and a client that cannot be told of the end while it may still send, end the whole.
        var isOver = end != RelayEnd.Finished || (first == down && (upload is not null || client is not NetworkStream));
        if (isOver)
        {
            await both.CancelAsync();
        }

        var second = await (first == up ? down : up);
        cancellationToken.ThrowIfCancellationRequested();
        return isOver ? end : second;
    }

    private async Task<RelayEnd> PumpToEndAsync(
        Stream from, Stream to, long allowance, RelayEnd atCap, CancellationTokenSource idle, CancellationToken cancellationToken)
    {
        // One byte more than allowed shows that there was more.
        var end = await PumpAsync(from, to, allowance + 1, atCap, idle, cancellationToken);
        if (end == RelayEnd.Finished && to is NetworkStream { Socket: var socket })
        {
            try
            {
                socket.Shutdown(SocketShutdown.Send);
            }
            catch (SocketException)
            {
                return RelayEnd.Broken;
            }
        }

        return end;
    }

    private async Task<RelayEnd> PumpAsync(
        Stream from, Stream to, long allowance, RelayEnd atCap, CancellationTokenSource idle, CancellationToken cancellationToken)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(BufferSize);
        try
        {
            while (allowance > 0)
            {
                var read = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(BufferSize, allowance)), cancellationToken);
                if (read == 0)
                {
                    return RelayEnd.Finished;
                }

                allowance -= read;
                idle.CancelAfter(idleTimeout);
                await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
                idle.CancelAfter(idleTimeout);
            }

            return atCap;
        }
        catch (IOException)
        {
            return RelayEnd.Broken;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            return idle.IsCancellationRequested ? RelayEnd.Idle : RelayEnd.Broken;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }
}
