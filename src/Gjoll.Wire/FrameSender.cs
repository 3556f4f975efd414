namespace Gjoll.Wire;

/// <summary>
/// The frames that wait for one stream. Adding never waits and is refused beyond a limit; who can wait asks for room first. What was added goes out in
/// order, many frames in one write. Thread-safe; one task runs it.
/// </summary>
/// <param name="stream">Written by this alone; not disposed.</param>
/// <param name="comfort">Bytes that may wait before <see cref="RoomAsync"/> makes callers wait.</param>
/// <param name="limit">Bytes that may wait at all.</param>
public sealed class FrameSender(Stream stream, int comfort, int limit)
{
    private const int Small = 64 * 1024;
    private const int Large = 1024 * 1024;

    private readonly Lock _gate = new();
    private byte[] _pending = new byte[Small];
    private byte[] _writing = new byte[Small];
    private int _length;
    private bool _ended;
    private TaskCompletionSource? _work;
    private TaskCompletionSource? _room;

    /// <summary>False when nothing more is taken: the limit is reached, or the stream has ended.</summary>
    public bool TryAdd(ReadOnlySpan<byte> frame)
    {
        lock (_gate)
        {
            if (!TryReserve(frame.Length, out var place))
            {
                return false;
            }

            frame.CopyTo(place);
        }

        return true;
    }

    /// <summary>As <see cref="TryAdd(ReadOnlySpan{byte})"/>, without making the frame first.</summary>
    public bool TryAdd(FrameKind kind, byte stream, uint channel, ReadOnlySpan<byte> payload)
    {
        lock (_gate)
        {
            if (!TryReserve(FrameWriter.HeaderSize + payload.Length, out var place))
            {
                return false;
            }

            FrameWriter.Header(place, kind, stream, channel, payload.Length);
            payload.CopyTo(place[FrameWriter.HeaderSize..]);
        }

        return true;
    }

    public bool TryAddData(byte stream, uint channel, ulong offset, ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (!TryReserve(FrameWriter.DataPrefix + bytes.Length, out var place))
            {
                return false;
            }

            FrameWriter.Data(place, stream, channel, offset, bytes.Length);
            bytes.CopyTo(place[FrameWriter.DataPrefix..]);
        }

        return true;
    }

    /// <summary>Returns when little waits, or when the stream has ended.</summary>
    public async ValueTask RoomAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            Task room;
            lock (_gate)
            {
                if (_ended || _length < comfort)
                {
                    return;
                }

                _room ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                room = _room.Task;
            }

            await room.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Writes until it is cancelled or the stream fails, which it throws.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await WorkAsync(cancellationToken);
                int length;
                lock (_gate)
                {
                    (_pending, _writing) = (_writing, _pending);
                    (length, _length) = (_length, 0);
                    _room?.SetResult();
                    _room = null;
                }

                await stream.WriteAsync(_writing.AsMemory(0, length), cancellationToken);
                await stream.FlushAsync(cancellationToken);
                if (_writing.Length > Large)
                {
                    _writing = new byte[Small];
                }
            }
        }
        finally
        {
            lock (_gate)
            {
                _ended = true;
                _length = 0;
                _room?.SetResult();
                _room = null;
            }
        }
    }

    private bool TryReserve(int count, out Span<byte> place)
    {
        place = default;
        if (_ended || count > limit - _length)
        {
            return false;
        }

        if (_pending.Length < _length + count)
        {
            Array.Resize(ref _pending, Math.Max(_length + count, Math.Min(_pending.Length * 2, limit)));
        }

        place = _pending.AsSpan(_length, count);
        _length += count;
        _work?.SetResult();
        _work = null;
        return true;
    }

    private async ValueTask WorkAsync(CancellationToken cancellationToken)
    {
        Task work;
        lock (_gate)
        {
            if (_length > 0)
            {
                return;
            }

            _work = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            work = _work.Task;
        }

        await work.WaitAsync(cancellationToken);
    }
}
