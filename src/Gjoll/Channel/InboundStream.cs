using System.IO.Pipelines;

namespace Gjoll.Channel;

/// <summary>
/// What a guest sends on one stream. Bytes come in by <see cref="Receive"/>, which never waits: the sender's window bounds them. A stream that was
/// disposed drops what still comes, and acknowledges it.
/// </summary>
/// <param name="start">The offset of the first byte.</param>
/// <param name="consumed">Called after bytes were read, with the offset up to which they were.</param>
internal sealed class InboundStream(long start, Action<long> consumed) : Stream
{
    private readonly Lock _gate = new();
    private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0, minimumSegmentSize: 32 * 1024, useSynchronizationContext: false));
    private long _received = start;
    private long _consumed = start;
    private bool _ended;
    private bool _dropped;
    private string? _failure;

    /// <summary>Up to where bytes have arrived.</summary>
    public long Received
    {
        get
        {
            lock (_gate)
            {
                return _received;
            }
        }
    }

    /// <summary>Up to where they were read.</summary>
    public long Consumed => Interlocked.Read(ref _consumed);

    public bool IsEnded
    {
        get
        {
            lock (_gate)
            {
                return _ended;
            }
        }
    }

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>False when bytes are missing in between: the other side broke its word.</summary>
    public bool Receive(long offset, ReadOnlySpan<byte> bytes)
    {
        var drop = false;
        lock (_gate)
        {
            if (offset > _received || _ended)
            {
                return offset <= _received;
            }

            var known = (int)Math.Min(_received - offset, bytes.Length);
            bytes = bytes[known..];
            _received += bytes.Length;
            if (_dropped)
            {
                drop = true;
            }
            else if (bytes.Length > 0)
            {
                bytes.CopyTo(_pipe.Writer.GetSpan(bytes.Length));
                _pipe.Writer.Advance(bytes.Length);
                Push();
            }
        }

        if (drop)
        {
            Consume(bytes.Length);
        }

        return true;
    }

    /// <summary>Nothing more comes; with a failure the reader gets it after what has arrived.</summary>
    public void End(string? failure = null)
    {
        lock (_gate)
        {
            if (!_ended)
            {
                _ended = true;
                _failure = failure;
                _pipe.Writer.Complete();
            }
        }
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (buffer.IsEmpty)
        {
            return 0;
        }

        var read = await _pipe.Reader.ReadAsync(cancellationToken);
        var count = (int)Math.Min(read.Buffer.Length, buffer.Length);
        var part = read.Buffer.Slice(0, count);
        System.Buffers.BuffersExtensions.CopyTo(part, buffer.Span);
        _pipe.Reader.AdvanceTo(part.End);
        Consume(count);
        return count > 0 || Volatile.Read(ref _failure) is not { } failure ? count : throw new IOException(failure);
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => ReadAsync(buffer.AsMemory(offset, count)).AsTask().GetAwaiter().GetResult();

    public override void Flush()
    {
        // Nothing is written.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            int left;
            lock (_gate)
            {
                if (_dropped)
                {
                    return;
                }

                _dropped = true;
                left = (int)(_received - Interlocked.Read(ref _consumed));
                _pipe.Reader.Complete();
            }

            Consume(left);
        }

        base.Dispose(disposing);
    }

    private void Consume(int count)
    {
        if (count > 0)
        {
            consumed(Interlocked.Add(ref _consumed, count));
        }
    }

    /// <summary>With no threshold a flush never waits.</summary>
    private void Push()
    {
        var flush = _pipe.Writer.FlushAsync(CancellationToken.None);
        if (!flush.IsCompleted)
        {
            throw new System.Diagnostics.UnreachableException();
        }
    }
}
