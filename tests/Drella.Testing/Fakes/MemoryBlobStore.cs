using System.Runtime.CompilerServices;
using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Testing.Fakes;

/// <summary>Blobs in memory; what was written is durable at <see cref="IBlobWriter.FlushAsync"/>, as late as the contract allows.</summary>
public sealed class MemoryBlobStore : IBlobStore
{
    private const int Chunk = 64 << 10;

    private readonly Lock _gate = new();
    private readonly Dictionary<BlobId, List<byte>> _durable = [];
    private readonly HashSet<BlobId> _open = [];

    /// <summary>Names of all blobs, in order.</summary>
    public IReadOnlyList<BlobId> Blobs
    {
        get
        {
            lock (_gate)
            {
                return [.. _durable.Keys.OrderBy(blob => blob.Value, StringComparer.Ordinal)];
            }
        }
    }

    public Task<IBlobWriter> AppendAsync(BlobId blob, CancellationToken cancellationToken)
    {
        if (string.IsNullOrEmpty(blob.Value) || blob.Value.Any(char.IsControl))
        {
            throw new DriverException(isTransient: false, "A blob's name is not well formed.") { Failure = DriverFailure.Invalid };
        }

        lock (_gate)
        {
            return _open.Add(blob)
                ? Task.FromResult<IBlobWriter>(new Writer(this, blob))
                : throw new DriverException(isTransient: true, $"{blob} has a writer already.") { Failure = DriverFailure.Conflict };
        }
    }

    public async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(
        BlobId blob, long offset, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        await Task.CompletedTask;
        byte[] bytes;
        lock (_gate)
        {
            bytes = _durable.TryGetValue(blob, out var kept) && offset < kept.Count ? [.. kept.Skip((int)offset)] : [];
        }

        for (var start = 0; start < bytes.Length; start += Chunk)
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return bytes.AsMemory(start, Math.Min(Chunk, bytes.Length - start));
        }
    }

    public Task<long> LengthAsync(BlobId blob, CancellationToken cancellationToken)
    {
        lock (_gate)
        {
            return Task.FromResult(_durable.TryGetValue(blob, out var kept) ? kept.Count : 0L);
        }
    }

    private sealed class Writer(MemoryBlobStore store, BlobId blob) : IBlobWriter
    {
        private readonly List<byte> _pending = [];
        private bool _isDisposed;

        public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            cancellationToken.ThrowIfCancellationRequested();
            _pending.AddRange(bytes.Span);
            return ValueTask.CompletedTask;
        }

        public Task FlushAsync(CancellationToken cancellationToken)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, this);
            Settle();
            return Task.CompletedTask;
        }

        public ValueTask DisposeAsync()
        {
            if (!_isDisposed)
            {
                Settle();
                _isDisposed = true;
                lock (store._gate)
                {
                    store._open.Remove(blob);
                }
            }

            return ValueTask.CompletedTask;
        }

        private void Settle()
        {
            lock (store._gate)
            {
                if (!store._durable.TryGetValue(blob, out var kept))
                {
                    store._durable.Add(blob, kept = []);
                }

                kept.AddRange(_pending);
            }

            _pending.Clear();
        }
    }
}
