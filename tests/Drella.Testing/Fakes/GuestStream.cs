using System.Text;

namespace Drella.Testing.Fakes;

/// <summary>
/// Standard output of a program in a fake guest: what was written can be read, in order, until it is ended. Completes its readers without
/// a thread of its own, so that a run on one thread has one order.
/// </summary>
public sealed class GuestStream : Stream
{
    private readonly Queue<byte> bytes = new();
    private TaskCompletionSource? reader;
    private bool isEnded;

    public override bool CanRead => true;

    public override bool CanSeek => false;

    public override bool CanWrite => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public void Say(string text)
    {
        foreach (var one in Encoding.UTF8.GetBytes(text))
        {
            bytes.Enqueue(one);
        }

        reader?.TrySetResult();
    }

    public void End()
    {
        isEnded = true;
        reader?.TrySetResult();
    }

    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (bytes.Count == 0 && !isEnded)
        {
            reader = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var cancelled = cancellationToken.Register(() => reader.TrySetCanceled(cancellationToken));
            await reader.Task;
        }

        var count = Math.Min(buffer.Length, bytes.Count);
        for (var index = 0; index < count; index++)
        {
            buffer.Span[index] = bytes.Dequeue();
        }

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
}
