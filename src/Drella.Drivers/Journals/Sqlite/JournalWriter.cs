using System.Threading.Channels;
using Drella.Core;
using Drella.Core.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>
/// The one writer: takes all that waits, commits it in one transaction, then answers. The sync that makes a commit durable is paid
/// once for everybody who came while the one before it ran.
/// </summary>
internal sealed partial class JournalWriter : IAsyncDisposable
{
    private const int MostWaiting = 2048;
    private const int MostAppends = 1024;
    private const long MostBytes = 8 << 20;

    private readonly Channel<PendingAppend> _queue = Channel.CreateBounded<PendingAppend>(
        new BoundedChannelOptions(MostWaiting) { SingleReader = true });

    private readonly SqliteConnection _connection;
    private readonly StreamTable _streams;
    private readonly StreamSignals _signals;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly Statement _begin;
    private readonly Statement _commit;
    private readonly Statement _insert;
    private readonly Task _loop;

    public JournalWriter(SqliteConnection connection, StreamSignals signals, TimeProvider time, ILogger logger)
    {
        _connection = connection;
        _streams = new StreamTable(connection);
        _signals = signals;
        _time = time;
        _logger = logger;
        _begin = new Statement(connection, "BEGIN IMMEDIATE");
        _commit = new Statement(connection, "COMMIT");
        _insert = new Statement(connection, "INSERT INTO entries (id, at, kind, version, payload, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
        _loop = Task.Run(RunAsync);
    }

    public async Task<IReadOnlyList<Entry>> AppendAsync(PendingAppend append, CancellationToken cancellationToken)
    {
        try
        {
            await _queue.Writer.WriteAsync(append, cancellationToken);
        }
        catch (ChannelClosedException closed)
        {
            throw new ObjectDisposedException("The journal is closed.", closed);
        }

        return await append.Done.WaitAsync(cancellationToken);
    }

    /// <summary>Takes no more, finishes what waits, closes.</summary>
    public async ValueTask DisposeAsync()
    {
        _queue.Writer.TryComplete();
        await _loop;
        _insert.Dispose();
        _commit.Dispose();
        _begin.Dispose();
        _streams.Dispose();
        await _connection.DisposeAsync();
    }

    private async Task RunAsync()
    {
        var batch = new List<PendingAppend>(MostAppends);
        try
        {
            while (await _queue.Reader.WaitToReadAsync())
            {
                Take(batch);
                Commit(batch);
                batch.Clear();
            }
        }
        finally
        {
            // Only a mistake of ours gets here with work in hand; nobody may be left waiting for ever.
            _queue.Writer.TryComplete();
            while (_queue.Reader.TryRead(out var left))
            {
                batch.Add(left);
            }

            batch.ForEach(append => append.Fail(new InvalidOperationException("The journal's writer has stopped.")));
        }
    }

    private void Take(List<PendingAppend> batch)
    {
        var bytes = 0L;
        while (batch.Count < MostAppends && bytes < MostBytes && _queue.Reader.TryRead(out var append))
        {
            batch.Add(append);
            bytes += append.Bytes;
        }
    }

    private void Commit(List<PendingAppend> batch)
    {
        try
        {
            _begin.Run();
            foreach (var append in batch)
            {
                Write(append);
            }

            _streams.SaveGrown();
            _commit.Run();
        }
        catch (SqliteException failure)
        {
            _streams.Forget();
            Database.Abandon(_connection);
            var refusal = SqliteFailures.Of(failure, $"appending {batch.Count} to the journal");
            LogBatchLost(batch.Count, refusal.Message);

            // Also those that would have been refused: what stood in their way was not kept either.
            batch.ForEach(append => append.Fail(refusal));
            return;
        }

        foreach (var stream in _streams.Settle())
        {
            _signals.Raise(stream);
        }

        batch.ForEach(append => append.Complete());
    }

    private void Write(PendingAppend append)
    {
        if (append.IsAbandoned)
        {
            return;
        }

        var head = _streams.Find(append.Stream);
        var last = head?.Sequence ?? 0;
        if (append.After is { } after && after != last)
        {
            append.Refuse(new DriverException(isTransient: false, $"{append.Stream} is at sequence {last}, not at {after}.") { Failure = DriverFailure.Conflict });
            return;
        }

        if (last + append.Entries.Count > StreamHead.MaxSequence)
        {
            append.Refuse(new DriverException(isTransient: false, $"{append.Stream} can hold no more entries.") { Failure = DriverFailure.Exhausted });
            return;
        }

        head ??= _streams.Create(append.Stream);
        var at = DateTimeOffset.FromUnixTimeMilliseconds(_time.GetUtcNow().ToUnixTimeMilliseconds());
        var kept = new Entry[append.Entries.Count];
        for (var index = 0; index < kept.Length; index++)
        {
            var entry = kept[index] = Link(head, at, append.Entries[index]);
            _insert
                .Bind(1, StreamHead.Key(head.Row, entry.Sequence))
                .Bind(2, at.ToUnixTimeMilliseconds())
                .Bind(3, entry.Kind)
                .Bind(4, entry.Version)
                .Bind(5, entry.Payload.Span)
                .Bind(6, entry.Hash.Span)
                .Run();
            head = head with { Sequence = entry.Sequence, Hash = entry.Hash };
        }

        _streams.Grow(head);
        append.Keep(kept);
    }

    private static Entry Link(StreamHead head, DateTimeOffset at, NewEntry entry)
    {
        var sequence = head.Sequence + 1;
        var hash = HashChain.Compute(head.Hash.Span, head.Stream, sequence, at, entry.Kind, entry.Version, entry.Payload.Span);
        return new Entry(head.Stream, sequence, at, entry.Kind, entry.Version, entry.Payload, head.Hash, hash);
    }

    [LoggerMessage(LogLevel.Error, "Journal lost a batch of {Count} appends, nothing of it was kept: {Reason}")]
    private partial void LogBatchLost(int count, string reason);
}
