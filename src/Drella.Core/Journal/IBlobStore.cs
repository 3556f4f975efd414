namespace Drella.Core.Journal;

/// <summary>
/// Bytes too large for entries, such as transcripts: kept as given, in chunks, next to the journal and as durable as it.
/// A blob is written by one writer, in order; it can be read while it grows.
/// </summary>
public interface IBlobStore
{
    /// <summary>
    /// Opens a blob to append to, creating it when absent. Memory stays constant whatever the blob's size.
    /// Bytes are durable when <see cref="IBlobWriter.FlushAsync"/> has completed; without it they become durable in the order given.
    /// </summary>
    Task<IBlobWriter> AppendAsync(BlobId blob, CancellationToken cancellationToken);

    /// <summary>Reads from <paramref name="offset"/> (bytes) up to what is durable now; empty when the blob is absent.</summary>
    IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(BlobId blob, long offset, CancellationToken cancellationToken);

    /// <summary>Length in bytes of what is durable; 0 when absent.</summary>
    Task<long> LengthAsync(BlobId blob, CancellationToken cancellationToken);
}

/// <summary>Name of a blob, such as <c>job-3f2a/transcript/1-producer-1</c>.</summary>
public readonly record struct BlobId(string Value)
{
    public override string ToString() => Value;
}

/// <summary>An open blob. Disposing flushes.</summary>
public interface IBlobWriter : IAsyncDisposable
{
    /// <summary>Takes the bytes; waits when the disk is behind, so that a fast guest is slowed and memory stays bounded.</summary>
    ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    /// <summary>Completes when everything written so far is durable.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}
