using System.IO.Pipelines;
using System.Net.Sockets;
using Gjoll.Wire;

namespace Gjoll.Warden;

/// <summary>
/// One connection from the guest to a door of the host. Each direction ends for itself. The windows and what waits are guarded by the warden's lock.
/// </summary>
internal sealed class ForwardConnection(Link link, uint channel, int forward) : IDisposable
{
    // A door that no longer reads does not keep the rest of a closed connection for ever.
    private static readonly TimeSpan Flush = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource _end = new();
    private readonly Pipe _fromGuest = new(new PipeOptions(pauseWriterThreshold: 0, useSynchronizationContext: false));
    private readonly ByteWindow _output = new();
    private readonly ByteWindow _input = new();
    private readonly TaskCompletionSource _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private TaskCompletionSource? _room;
    private bool _isOpen;
    private volatile bool _doorRefuses;
    private volatile bool _doorEnded;

    public int Forward => forward;

    /// <summary>Bytes that the guest sent and the door has not taken.</summary>
    public int Waiting { get; private set; }

    /// <summary>Judges and takes a frame of the guest. Under the lock.</summary>
    public void Take(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Data when frame.Stream == WireStream.Output && _isOpen:
                var (offset, bytes) = FramePayload.Data(frame);
                _output.Take(offset, bytes.Length);
                Waiting += bytes.Length;
                bytes.Span.CopyTo(_fromGuest.Writer.GetSpan(bytes.Length));
                _fromGuest.Writer.Advance(bytes.Length);
                Push();
                break;
            case FrameKind.End when frame.Stream == WireStream.Output && _isOpen:
                _output.End(FramePayload.Offset(frame));
                _fromGuest.Writer.Complete();
                break;
            case FrameKind.End when frame.Stream == WireStream.Input && _isOpen:
                // The guest's program reads no more: the door finds out when it writes.
                _ = FramePayload.Offset(frame);
                Abort();
                break;
            case FrameKind.Ack when frame.Stream == WireStream.Input && _isOpen:
                _input.Acknowledge(FramePayload.Offset(frame));
                _room?.TrySetResult();
                _room = null;
                break;
            case FrameKind.Close:
                Close();
                break;
            default:
                throw new WireException($"a frame of kind {(byte)frame.Kind} came where it does not belong");
        }
    }

    /// <summary>Carries the connection to its end. <paramref name="socket"/> is null when there is no such forward.</summary>
    public async Task RunAsync(string? socket, Lock gate)
    {
        var token = _end.Token;
        try
        {
            if (socket is null)
            {
                await AnswerAsync(WireJson.Failure(channel, FailureCode.NotFound, "there is no such forward"), token);
                return;
            }

            using var door = UnixSockets.New();
            try
            {
                await door.ConnectAsync(new UnixDomainSocketEndPoint(socket), token);
            }
            catch (SocketException)
            {
                await AnswerAsync(WireJson.Failure(channel, FailureCode.Unavailable, "nobody listens"), token);
                return;
            }

            lock (gate)
            {
                _isOpen = true;
            }

            await AnswerAsync(WireJson.Response(channel, new WireResponse()), token);
            await Task.WhenAll(ToDoorAsync(door, gate, token), FromDoorAsync(door, gate, token));
            // The guest may still be giving the last bytes to its program, and says when it is done: a close from here would break that off.
            door.Close();
            await _closed.Task.WaitAsync(token);
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            link.Sender.TryAdd(FrameKind.Close, 0, channel, []);
        }
        finally
        {
            lock (gate)
            {
                link.Forget(channel);
            }

            await _fromGuest.Reader.CompleteAsync();
        }
    }

    /// <summary>Ends it at once; elsewhere, since the caller holds the lock.</summary>
    public void Abort() => _end.CancelAfter(TimeSpan.Zero);

    public void Dispose() => _end.Dispose();

    private void Close()
    {
        _closed.TrySetResult();
        if (_output.IsEnded)
        {
            // All that was sent is on its way to the door.
            _end.CancelAfter(Flush);
        }
        else
        {
            Abort();
        }
    }

    private async Task AnswerAsync(byte[] frame, CancellationToken cancellationToken)
    {
        await link.Sender.RoomAsync(cancellationToken);
        link.Sender.TryAdd(frame);
    }

    /// <summary>With no threshold a flush never waits.</summary>
    private void Push()
    {
        var flush = _fromGuest.Writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompleted)
        {
            throw new System.Diagnostics.UnreachableException();
        }
    }

    private async Task ToDoorAsync(Socket door, Lock gate, CancellationToken cancellationToken)
    {
        ulong taken = 0;
        while (true)
        {
            var read = await _fromGuest.Reader.ReadAsync(cancellationToken);
            foreach (var part in read.Buffer)
            {
                await GiveAsync(door, part, cancellationToken);
            }

            var count = (int)read.Buffer.Length;
            _fromGuest.Reader.AdvanceTo(read.Buffer.End);
            if (count > 0)
            {
                taken += (uint)count;
                await link.Sender.RoomAsync(cancellationToken);
                lock (gate)
                {
                    Waiting -= count;
                    link.Waiting -= count;
                    _output.Acknowledge(taken);
                }

                link.Sender.TryAdd(FrameWriter.Mark(FrameKind.Ack, channel, WireStream.Output, taken));
            }

            if (_doorRefuses && _doorEnded)
            {
                return;
            }

            if (read.IsCompleted)
            {
                EndWriting(door);
                return;
            }
        }
    }

    /// <summary>A door that answers before it has read everything, and closes, is still heard to its end: what it does not want is dropped.</summary>
    private async Task GiveAsync(Socket door, ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        try
        {
            while (bytes.Length > 0 && !_doorRefuses)
            {
                bytes = bytes[await door.SendAsync(bytes, cancellationToken)..];
            }
        }
        catch (SocketException)
        {
            _doorRefuses = true;
        }
    }

    private void EndWriting(Socket door)
    {
        try
        {
            door.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            _doorRefuses = true;
        }
    }

    private static async Task<int> ReceiveAsync(Socket door, Memory<byte> buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await door.ReceiveAsync(buffer, cancellationToken);
        }
        catch (SocketException)
        {
            // Reset: the guest sees the end, and its own writes fail.
            return 0;
        }
    }

    private async Task FromDoorAsync(Socket door, Lock gate, CancellationToken cancellationToken)
    {
        var buffer = System.Buffers.ArrayPool<byte>.Shared.Rent(WireLimits.MaxData);
        try
        {
            while (true)
            {
                var room = await RoomAsync(gate, cancellationToken);
                var count = await ReceiveAsync(door, buffer.AsMemory(0, Math.Min(room, WireLimits.MaxData)), cancellationToken);
                await link.Sender.RoomAsync(cancellationToken);
                lock (gate)
                {
                    var offset = _input.Next;
                    if (count == 0)
                    {
                        _doorEnded = true;
                        if (_doorRefuses)
                        {
                            Abort();
                        }

                        link.Sender.TryAdd(FrameWriter.Mark(FrameKind.End, channel, WireStream.Input, offset));
                        return;
                    }

                    _input.Take(offset, count);
                    link.Sender.TryAddData(WireStream.Input, channel, offset, buffer.AsSpan(0, count));
                }
            }
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task<int> RoomAsync(Lock gate, CancellationToken cancellationToken)
    {
        while (true)
        {
            Task acknowledged;
            lock (gate)
            {
                if (_input.Room > 0)
                {
                    return _input.Room;
                }

                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                acknowledged = _room.Task;
            }

            await acknowledged.WaitAsync(cancellationToken);
        }
    }
}
