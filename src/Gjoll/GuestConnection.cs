namespace Gjoll;

/// <summary>A connection to a port of the guest: both directions, each ending for itself. Disposing ends both.</summary>
public abstract class GuestConnection : Stream
{
    /// <summary>The end of what is written; what the guest writes can still be read. Repeating it is success.</summary>
    public abstract Task EndWritingAsync(CancellationToken cancellationToken);

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => true;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override void Flush()
    {
        // What is written is under way.
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();
}
