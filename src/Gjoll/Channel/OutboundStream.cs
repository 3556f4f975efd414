using Gjoll.Wire;

namespace Gjoll.Channel;

/// <summary>
/// What goes to a guest on one stream: never more than the window beyond what the guest has taken. With <paramref name="keeps"/> what was not taken yet
/// is held, so that another channel can carry it on.
/// </summary>
internal sealed class OutboundStream(bool keeps) : Stream
{
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _held = [];
    private ClientChannel? _channel;
    private TaskCompletionSource _changed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private long _heldFrom;
    private long _acknowledged;
    private long _sent;
    private bool _ended;
    private string? _refusal;

    public override bool CanRead => false;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Goes on over this channel, from what the guest says it has. False when what is missing is no longer held.</summary>
    public bool Attach(ClientChannel channel, long received, bool first)
    {
        lock (_gate)
        {
            if (first)
            {
                (_heldFrom, _acknowledged, _sent) = (received, received, received);
            }

            if (received < _acknowledged || received > _sent)
            {
                return false;
            }

            _channel = channel;
            Drop(received);
            var offset = _heldFrom;
            foreach (var part in _held)
            {
                var known = (int)Math.Max(0, received - offset);
                channel.SendData(WireStream.Input, offset + known, part.AsSpan(known));
                offset += part.Length;
            }

            if (_ended)
            {
                channel.SendMark(FrameKind.End, WireStream.Input, _sent);
            }

            Pulse();
            return true;
        }
    }

    /// <summary>Writes wait until it is attached again.</summary>
    public void Detach()
    {
        lock (_gate)
        {
            _channel = null;
        }
    }

    public void Acknowledge(long offset)
    {
        lock (_gate)
        {
            if (offset > _acknowledged && offset <= _sent)
            {
                Drop(offset);
                Pulse();
            }
        }
    }

    /// <summary>From now on writes fail with this.</summary>
    public void Refuse(string reason)
    {
        lock (_gate)
        {
            _refusal ??= reason;
            _held.Clear();
            Pulse();
        }
    }

    /// <summary>The end of the stream. Repeating it is success.</summary>
    public void End()
    {
        lock (_gate)
        {
            if (!_ended)
            {
                _ended = true;
                Pulse();
                if (_refusal is null)
                {
                    _channel?.SendMark(FrameKind.End, WireStream.Input, _sent);
                }
            }
        }
    }

    public override async ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (buffer.Length > 0)
        {
            ClientChannel? channel;
            Task changed;
            lock (_gate)
            {
                ObjectDisposedException.ThrowIf(_ended, this);
                if (_refusal is not null)
                {
                    throw new IOException(_refusal);
                }

                changed = _changed.Task;
                channel = _channel;
                var count = (int)Math.Min(Math.Min(buffer.Length, WireLimits.MaxData), _acknowledged + WireLimits.Window - _sent);
                if (channel is not null && count > 0)
                {
                    channel.SendData(WireStream.Input, _sent, buffer.Span[..count]);
                    if (keeps)
                    {
                        _held.Enqueue(buffer[..count].ToArray());
                    }

                    _sent += count;
                    buffer = buffer[count..];
                    changed = Task.CompletedTask;
                }
            }

            await changed.WaitAsync(cancellationToken);
            if (channel is not null)
            {
                await channel.RoomAsync(cancellationToken);
            }
        }
    }

    public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        WriteAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Write(byte[] buffer, int offset, int count) => WriteAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
        // What is written is under way.
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            End();
        }

        base.Dispose(disposing);
    }

    private void Drop(long taken)
    {
        _acknowledged = Math.Max(_acknowledged, taken);
        if (!keeps)
        {
            _heldFrom = taken;
            return;
        }

        while (_held.TryPeek(out var part) && _heldFrom + part.Length <= taken)
        {
            _held.Dequeue();
            _heldFrom += part.Length;
        }
    }

    private void Pulse()
    {
        _changed.SetResult();
        _changed = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
