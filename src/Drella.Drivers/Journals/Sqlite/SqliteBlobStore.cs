using System.Runtime.CompilerServices;
using Drella.Core;
using Drella.Core.Journal;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>The blobs, in a file of their own so that transcripts do not weigh on the journal's replay, check and backup.</summary>
internal sealed class SqliteBlobStore(Pool<BlobReader> readers, BlobCommitter? committer) : IBlobStore
{
    private const int MostName = 512;

    public Task<IBlobWriter> AppendAsync(BlobId blob, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(blob.Value) || blob.Value.Length > MostName || blob.Value.Any(char.IsControl) || blob.Value.Any(char.IsSurrogate))
        {
            throw new DriverException(isTransient: false, "A blob's name has 1 to 512 characters, no control characters and no surrogates.") { Failure = DriverFailure.Invalid };
        }

        cancellationToken.ThrowIfCancellationRequested();
        if (committer is null)
        {
            throw new InvalidOperationException("The blob store was opened for reading only.");
        }

        return Task.FromResult<IBlobWriter>(committer.Open(blob, () => Find(blob)));
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        BlobId blob, long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        var (row, end) = Find(blob);
        while (offset < end)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var from = offset;
            foreach (var bytes in await Task.Run(() => Use(reader => reader.Read(row, from, end), blob), cancellationToken))
            {
                yield return bytes;
                offset += bytes.Length;
            }
        }
    }

    public Task<long> LengthAsync(BlobId blob, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult(Find(blob).Length);
    }

    private (long Row, long Length) Find(BlobId blob) => Use(reader => reader.Find(blob.Value), blob);

    private T Use<T>(Func<BlobReader, T> work, BlobId blob)
    {
        try
        {
            return readers.Use(work);
        }
        catch (SqliteException failure)
        {
            throw SqliteFailures.Of(failure, $"reading blob {blob}");
        }
    }
}
