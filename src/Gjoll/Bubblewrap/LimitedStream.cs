namespace Gjoll.Bubblewrap;

/// <summary>Counts what two streams gave together and says once that it was too much.</summary>
internal sealed class OutputLimit(long bytes, Action reached)
{
    private long _left = bytes;

    public void Take(int count)
    {
        var left = Interlocked.Add(ref _left, -count);
        if (left < 0 && left + count >= 0)
        {
            reached();
        }
    }
}

/// <summary>Reads through; the bytes that are over the limit are still given, since they were written before the end.</summary>
internal sealed class LimitedStream(Stream inner, OutputLimit? limit) : Stream
{
    public static Stream Wrap(Stream inner, OutputLimit? limit) => new LimitedStream(inner, limit);

    /// <summary>How much was read.</summary>
    public long Given => Interlocked.Read(ref _given);

    private long _given;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override int Read(byte[] buffer, int offset, int count) => Counted(inner.Read(buffer, offset, count));

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
        Counted(await inner.ReadAsync(buffer, cancellationToken));

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override void Flush() => inner.Flush();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            inner.Dispose();
        }

        base.Dispose(disposing);
    }

    private int Counted(int count)
    {
        Interlocked.Add(ref _given, count);
        limit?.Take(count);
        return count;
    }
}
