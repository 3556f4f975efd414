using System.Buffers;
using System.Collections.Concurrent;
using System.Threading.Channels;
using Drella.Core;
using Drella.Core.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Makes what the open blobs hold durable: one transaction for all that are due.</summary>
internal sealed partial class BlobCommitter : IAsyncDisposable
{
    private const int MostChunk = 64 << 10;

    // Bounded by the number of open blobs: a blob is in it at most once.
    private readonly Channel<BlobWriter> _due = Channel.CreateUnbounded<BlobWriter>(new UnboundedChannelOptions { SingleReader = true });
    private readonly ConcurrentDictionary<BlobId, BlobWriter> _open = new();
    private readonly SqliteConnection _connection;
    private readonly ILogger _logger;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _create;
    private readonly Statement _insert;
    private readonly Statement _grow;
    private readonly byte[] _chunk = new byte[MostChunk];
    private readonly Task _loop;

    public BlobCommitter(SqliteConnection connection, ILogger logger)
    {
        _connection = connection;
        _logger = logger;
        _begin = new Statement(connection, "BEGIN IMMEDIATE");
        _commit = new Statement(connection, "COMMIT");
        _create = new Statement(connection, "INSERT INTO blobs (name, length) VALUES (?1, 0) RETURNING id");
        _insert = new Statement(connection, "INSERT INTO chunks (id, data) VALUES (?1, ?2)");
        _grow = new Statement(connection, "UPDATE blobs SET length = ?2 WHERE id = ?1");
        _loop = Task.Run(RunAsync);
    }

    /// <summary>Opens the blob for its one writer. <paramref name="find"/> is asked only once nobody else can write to it.</summary>
    public BlobWriter Open(BlobId blob, Func<(long Row, long Length)> find)
    {
        ObjectDisposedException.ThrowIf(_loop.IsCompleted, typeof(SqliteJournalStore));
        var place = new BlobWriter(this, blob, 0, 0);
        if (!_open.TryAdd(blob, place))
        {
            throw new DriverException(isTransient: true, $"{blob} has a writer already.") { Failure = DriverFailure.Conflict };
        }

        var isOpen = false;
        try
        {
            var (row, length) = find();
            var writer = new BlobWriter(this, blob, row, length);
            isOpen = _open.TryUpdate(blob, writer, place);
            return writer;
        }
        finally
        {
            if (!isOpen)
            {
                _open.TryRemove(blob, out _);
            }
        }
    }

    public void Close(BlobWriter writer) => _open.TryRemove(KeyValuePair.Create(writer.Blob, writer));

    public void Schedule(BlobWriter writer)
    {
        if (!_due.Writer.TryWrite(writer))
        {
            writer.Fail(new DriverException(isTransient: false, "The blob store is closed."));
        }
    }

    /// <summary>Makes durable what was given so far, then closes. Writers still open fail from here on.</summary>
    public async ValueTask DisposeAsync()
    {
        _due.Writer.TryComplete();
        await _loop;
        _begin.Dispose();
        _commit.Dispose();
        _create.Dispose();
        _insert.Dispose();
        _grow.Dispose();
        await _connection.DisposeAsync();
    }

    private async Task RunAsync()
    {
        var due = new List<BlobWriter>();
        var batch = new List<(BlobWriter Writer, ReadOnlySequence<byte> Bytes)>();
        try
        {
            while (await _due.Reader.WaitToReadAsync())
            {
                // All first, then their bytes: a writer that was asked for its bytes may be due again at once.
                while (_due.Reader.TryRead(out var writer))
                {
                    due.Add(writer);
                }

                foreach (var writer in due)
                {
                    if (writer.Take() is { } bytes)
                    {
                        batch.Add((writer, bytes));
                    }
                }

                Commit(batch);
                batch.Clear();
                due.Clear();
            }
        }
        finally
        {
            _due.Writer.TryComplete();
            foreach (var writer in _open.Values.Concat(due))
            {
                writer.Fail(new DriverException(isTransient: false, "The blob store is closed."));
            }
        }
    }

    private void Commit(List<(BlobWriter Writer, ReadOnlySequence<byte> Bytes)> batch)
    {
        try
        {
            _begin.Run();
            foreach (var (writer, bytes) in batch.Where(due => !due.Bytes.IsEmpty))
            {
                Write(writer, bytes);
            }

            _commit.Run();
        }
        catch (SqliteException failure)
        {
            Database.Abandon(_connection);
            var refusal = SqliteFailures.Of(failure, $"writing {batch.Count} blobs");
            LogBatchLost(batch.Count, refusal.Message);
            batch.ForEach(due => due.Writer.Fail(refusal));
            return;
        }

        batch.ForEach(due => due.Writer.Settle(due.Bytes));
    }

    private void Write(BlobWriter writer, ReadOnlySequence<byte> bytes)
    {
        if (writer.Row == 0)
        {
            _create.Bind(1, writer.Blob.Value).Step();
            writer.Row = _create.Int64(0);
            _create.Run();
        }

        var offset = writer.Durable;
        while (!bytes.IsEmpty)
        {
            var part = bytes.Slice(0, Math.Min(bytes.Length, MostChunk));
            part.CopyTo(_chunk);
            _insert.Bind(1, BlobKey.Of(writer.Row, offset)).Bind(2, _chunk.AsSpan(0, (int)part.Length)).Run();
            offset += part.Length;
            bytes = bytes.Slice(part.End);
        }

        _grow.Bind(1, writer.Row).Bind(2, offset).Run();
    }

    [LoggerMessage(LogLevel.Error, "Blob store lost a batch for {Count} blobs, nothing of it was kept: {Reason}")]
    private partial void LogBatchLost(int count, string reason);
}
