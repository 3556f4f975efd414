using Gjoll.Wire;

namespace Gjoll.Guest.Tests;

/// <summary>The host's end of one channel. Output is kept and, unless told otherwise, acknowledged as it comes.</summary>
internal sealed class HostChannel(HostEnd host, uint number)
{
    private readonly TaskCompletionSource<(WireResponse?, WireFailure?)> _answer = Source<(WireResponse?, WireFailure?)>();
    private readonly TaskCompletionSource<(int, ExitReason)> _exited = Source<(int, ExitReason)>();
    private readonly TaskCompletionSource _closed = New();
    private readonly MemoryStream[] _bytes = [new(), new(), new()];
    private readonly ulong[] _base = new ulong[3];
    private readonly TaskCompletionSource[] _ended = [New(), New(), New()];
    private readonly Lock _lock = new();
    private ulong _acknowledged;
    private ulong _sent;
    private TaskCompletionSource _moved = New();

    public uint Number => number;

    public bool Acknowledges { get; set; } = true;

    public Task<(int Code, ExitReason Reason)> Exited => _exited.Task.WaitAsync(HostEnd.Patience);

    public Task Closed => _closed.Task.WaitAsync(HostEnd.Patience);

    /// <summary>How far the guest has taken the input.</summary>
    public ulong InputAcknowledged
    {
        get
        {
            lock (_lock)
            {
                return _acknowledged;
            }
        }
    }

    public long Count(byte stream)
    {
        lock (_lock)
        {
            return _bytes[stream].Length;
        }
    }

    public byte[] Bytes(byte stream)
    {
        lock (_lock)
        {
            return _bytes[stream].ToArray();
        }
    }

    public string Text => System.Text.Encoding.UTF8.GetString(Bytes(WireStream.Output));

    public void StartAt(ulong output, ulong error) => (_base[WireStream.Output], _base[WireStream.Error]) = (output, error);

    public async Task<WireResponse> ResponseAsync()
    {
        var (response, failure) = await _answer.Task.WaitAsync(HostEnd.Patience);
        return response ?? throw new InvalidOperationException($"{failure!.Code}: {failure.Message}");
    }

    public async Task<WireFailure> FailureAsync() =>
        (await _answer.Task.WaitAsync(HostEnd.Patience)).Item2 ?? throw new InvalidOperationException("it was not refused");

    public Task EndedAsync(byte stream) => _ended[stream].Task.WaitAsync(HostEnd.Patience);

    /// <summary>The program's end and all of its output.</summary>
    public async Task<(int Code, ExitReason Reason)> FinishedAsync()
    {
        await ResponseAsync();
        var end = await Exited;
        await EndedAsync(WireStream.Output);
        await EndedAsync(WireStream.Error);
        return end;
    }

    public async Task UntilAsync(Func<HostChannel, bool> isSo)
    {
        while (true)
        {
            Task moved;
            lock (_lock)
            {
                moved = _moved.Task;
            }

            if (isSo(this))
            {
                return;
            }

            await moved.WaitAsync(HostEnd.Patience);
        }
    }

    /// <summary>Sends within the window.</summary>
    public async Task SendAsync(ReadOnlyMemory<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            var count = Math.Min(bytes.Length, WireLimits.MaxData);
            await UntilAsync(_ => _sent + (ulong)count <= InputAcknowledged + WireLimits.Window);
            SendAt(_sent, bytes.Span[..count]);
            bytes = bytes[count..];
        }
    }

    public void SendAt(ulong offset, ReadOnlySpan<byte> bytes)
    {
        var frame = new byte[FrameWriter.DataPrefix + bytes.Length];
        FrameWriter.Data(frame, WireStream.Input, number, offset, bytes.Length);
        bytes.CopyTo(frame.AsSpan(FrameWriter.DataPrefix));
        _sent = Math.Max(_sent, offset + (ulong)bytes.Length);
        host.Send(frame);
    }

    public void EndInput() => host.Send(FrameWriter.Mark(FrameKind.End, number, WireStream.Input, _sent));

    public void Acknowledge(byte stream, ulong offset) => host.Send(FrameWriter.Mark(FrameKind.Ack, number, stream, offset));

    public void Close() => host.Send(FrameWriter.Make(FrameKind.Close, number, []));

    public void Signal(int signal, bool toAll = false) =>
        host.Send(FrameWriter.Make(FrameKind.Signal, number, FramePayload.Signal(signal), toAll ? (byte)1 : (byte)0));

    public void Resize(ushort columns, ushort rows) => host.Send(FrameWriter.Make(FrameKind.Resize, number, FramePayload.Size(columns, rows)));

    public void Take(in Frame frame)
    {
        switch (frame.Kind)
        {
            case FrameKind.Response:
                _answer.TrySetResult((WireJson.ReadResponse(frame), null));
                break;
            case FrameKind.Failure:
                _answer.TrySetResult((null, WireJson.ReadFailure(frame)));
                break;
            case FrameKind.Data:
                TakeData(frame);
                break;
            case FrameKind.End:
                Assert.Equal(_base[frame.Stream] + (ulong)Count(frame.Stream), FramePayload.Offset(frame));
                _ended[frame.Stream].TrySetResult();
                break;
            case FrameKind.Ack:
                lock (_lock)
                {
                    _acknowledged = FramePayload.Offset(frame);
                }

                break;
            case FrameKind.Exited:
                _exited.TrySetResult(FramePayload.Exited(frame));
                break;
            case FrameKind.Close:
                _closed.TrySetResult();
                break;
        }

        Move();
    }

    private void TakeData(in Frame frame)
    {
        var (offset, bytes) = FramePayload.Data(frame);
        ulong end;
        lock (_lock)
        {
            Assert.Equal(_base[frame.Stream] + (ulong)_bytes[frame.Stream].Length, offset);
            _bytes[frame.Stream].Write(bytes.Span);
            end = _base[frame.Stream] + (ulong)_bytes[frame.Stream].Length;
        }

        if (Acknowledges)
        {
            Acknowledge(frame.Stream, end);
        }
    }

    private void Move()
    {
        TaskCompletionSource moved;
        lock (_lock)
        {
            (moved, _moved) = (_moved, New());
        }

        moved.TrySetResult();
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private static TaskCompletionSource<T> Source<T>() => new(TaskCreationOptions.RunContinuationsAsynchronously);

}
