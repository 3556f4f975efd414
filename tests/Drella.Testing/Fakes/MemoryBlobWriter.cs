using Drella.Core.Journal;

namespace Drella.Testing.Fakes;

/// <summary>A blob in memory.</summary>
public sealed class MemoryBlobWriter : IBlobWriter
{
    private readonly MemoryStream _bytes = new();

    /// <summary>Awaited before each write: a slow or failing disk.</summary>
    public Func<Task> BeforeWrite { get; set; } = () => Task.CompletedTask;

    public bool IsFlushed { get; private set; }

    public long Length => _bytes.Length;

    public byte[] ToArray() => _bytes.ToArray();

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        await BeforeWrite();
        _bytes.Write(bytes.Span);
        IsFlushed = false;
    }

    public Task FlushAsync(CancellationToken cancellationToken)
    {
        IsFlushed = true;
        return Task.CompletedTask;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
