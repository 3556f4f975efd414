using System.Runtime.CompilerServices;
using Drella.Core;
using Drella.Core.Journal;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>The journal over one file. Without a writer (another process has it) it only reads.</summary>
internal sealed class SqliteJournal(Pool<JournalReader> readers, StreamSignals signals, JournalWriter? writer) : IJournal
{
    private const int MostPayload = 1 << 20;
    private const int MostName = 512;

    public async Task<IReadOnlyList<Entry>> AppendAsync(
        StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        Check(stream, entries);
        if (writer is null)
        {
            throw new InvalidOperationException("The journal was opened for reading only.");
        }

        // The bytes are the caller's until the first await; a buffer that is used again must not change what was appended.
        NewEntry[] own = [.. entries.Select(entry => entry with { Payload = entry.Payload.ToArray() })];
        return await writer.AppendAsync(new PendingAppend(stream, after, own, cancellationToken), cancellationToken);
    }

    public async IAsyncEnumerable<Entry> ReadAsync(StreamId stream, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        cancellationToken.ThrowIfCancellationRequested();
        if (Use(reader => reader.Head(stream), $"reading {stream}") is not { } head)
        {
            yield break;
        }

        await foreach (var entry in ReadAsync([head], after, cancellationToken))
        {
            yield return entry;
        }
    }

    public async IAsyncEnumerable<Entry> FollowAsync(StreamId stream, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        // Subscribed before the first read: what becomes durable in between is found by the read, or signalled, or both.
        using var growth = signals.Subscribe(stream);
        while (true)
        {
            await foreach (var entry in ReadAsync(stream, after, cancellationToken))
            {
                yield return entry;
                after = entry.Sequence;
            }

            await growth.WaitAsync(cancellationToken);
        }
    }

    public IAsyncEnumerable<Entry> ReadAllAsync(string prefix, CancellationToken cancellationToken) =>
        ReadAsync(Use(reader => reader.Heads(prefix), "reading the streams"), 0, cancellationToken);

    public Task<ChainReport> VerifyAsync(StreamId? stream, CancellationToken cancellationToken) =>
        Task.Run(() => Use(reader => ChainCheck.Run(reader, stream, cancellationToken), "verifying the journal"), cancellationToken);

    private async IAsyncEnumerable<Entry> ReadAsync(
        List<StreamHead> heads, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var cursors = new Queue<StreamCursor>(heads.Count);
        foreach (var head in heads.Where(head => head.Sequence > after))
        {
            cursors.Enqueue(new StreamCursor(head, after));
        }

        if (cursors.Count == 0)
        {
            yield break;
        }

        // The next batch is read while the caller works on this one. No read stays open in between, so that a slow caller
        // does not keep the write-ahead log from being folded back.
        var (now, next) = (new EntryBatch(), new EntryBatch());
        var ahead = Task.CompletedTask;
        Fill(cursors, now);
        try
        {
            while (now.Count > 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                ahead = cursors.Count == 0 ? Task.CompletedTask : Task.Run(() => Fill(cursors, next), CancellationToken.None);
                for (var index = 0; index < now.Count; index++)
                {
                    yield return now[index];
                }

                now.Clear();
                await ahead;
                (now, next) = (next, now);
            }
        }
        finally
        {
            // A caller who leaves early does not leave a read behind.
            await ahead.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private void Fill(Queue<StreamCursor> cursors, EntryBatch into) => Use(
        reader =>
        {
            while (!into.IsFull && cursors.TryPeek(out var cursor))
            {
                reader.Fill(cursor, into);
                if (cursor.IsDone)
                {
                    cursors.Dequeue();
                }
            }

            return into.Count;
        },
        "reading the journal");

    private T Use<T>(Func<JournalReader, T> work, string what)
    {
        try
        {
            return readers.Use(work);
        }
        catch (SqliteException failure)
        {
            throw SqliteFailures.Of(failure, what);
        }
    }

    private static void Check(StreamId stream, IReadOnlyList<NewEntry> entries)
    {
        if (string.IsNullOrEmpty(stream.Value) || stream.Value.Length > MostName || stream.Value.Any(char.IsControl) || stream.Value.Any(char.IsSurrogate))
        {
            throw Invalid("A stream's name has 1 to 512 characters, no control characters and no surrogates.");
        }

        ArgumentOutOfRangeException.ThrowIfZero(entries.Count);
        foreach (var entry in entries)
        {
            if (string.IsNullOrEmpty(entry.Kind) || entry.Kind.Length > MostName || entry.Kind.Any(char.IsSurrogate) || entry.Version < 1)
            {
                throw Invalid($"An entry for {stream} has no proper kind and version.");
            }

            if (entry.Payload.Length is 0 or > MostPayload)
            {
                throw Invalid($"The payload of {entry.Kind} for {stream} has {entry.Payload.Length} bytes; 1 to {MostPayload} fit. Larger things go to the blob store.");
            }
        }
    }

    private static DriverException Invalid(string message) => new(isTransient: false, message) { Failure = DriverFailure.Invalid };
}
