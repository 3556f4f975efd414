namespace Drella.Gateway.Tapes;

/// <summary>A scripted body: bytes, pauses, and the ways in which a body can end badly.</summary>
internal sealed class TapeBody(IEnumerable<TapeBody.Piece> pieces, TimeProvider time) : Stream
{
    private readonly Queue<Piece> left = new(pieces);
    private ReadOnlyMemory<byte> current;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (current.IsEmpty && left.TryDequeue(out var piece))
        {
            switch (piece)
            {
                case Piece.Bytes bytes:
                    current = bytes.Data;
                    break;
                case Piece.Pause pause:
                    await Task.Delay(pause.Length, time, cancellationToken);
                    break;
                case Piece.Drop:
                    throw new IOException("The tape drops the connection here.");
            }
        }

        var count = Math.Min(buffer.Length, current.Length);
        current[..count].CopyTo(buffer);
        current = current[count..];
        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Flush()
    {
    }

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    internal abstract record Piece
    {
        private Piece()
        {
        }

        public sealed record Bytes(ReadOnlyMemory<byte> Data) : Piece;

        public sealed record Pause(TimeSpan Length) : Piece;

        public sealed record Drop : Piece;
    }
}
