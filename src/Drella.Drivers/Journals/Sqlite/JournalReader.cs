using Drella.Core.Journal;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>One read-only connection with its prepared statements. One thread at a time; no read stays open between calls.</summary>
internal sealed class JournalReader : IDisposable
{
    private const int HashLength = 32;

    private readonly SqliteConnection _connection;
    private readonly KindNames _kinds = new();
    private readonly Statement _head;
    private readonly Statement _heads;
    private readonly Statement _entries;

    public JournalReader(string path)
    {
        _connection = Database.OpenReader(path);
        _head = new Statement(_connection, "SELECT id, name, last_seq, last_hash FROM streams WHERE name = ?1");
        _heads = new Statement(_connection, "SELECT id, name, last_seq, last_hash FROM streams WHERE name >= ?1 ORDER BY name");
        _entries = new Statement(_connection, "SELECT id, at, kind, version, payload, hash FROM entries WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
    }

    public SqliteConnection Connection => _connection;

    public StreamHead? Head(StreamId stream)
    {
        _head.Bind(1, stream.Value);
        var head = _head.Step() ? HeadOf(_head) : null;
        _head.Reset();
        return head;
    }

    /// <summary>Every stream whose name starts with the prefix, in the order in which they came into being.</summary>
    public List<StreamHead> Heads(string prefix)
    {
        var heads = new List<StreamHead>();
        _heads.Bind(1, prefix);
        while (_heads.Step())
        {
            var head = HeadOf(_heads);
            if (!head.Stream.Value.StartsWith(prefix, StringComparison.Ordinal))
            {
                break;
            }

            heads.Add(head);
        }

        _heads.Reset();
        heads.Sort((left, right) => left.Row.CompareTo(right.Row));
        return heads;
    }

    /// <summary>
    /// Reads on from the cursor until <paramref name="into"/> holds enough or the cursor's end is reached.
    /// Throws when the entries are not without gaps: a fold over what is left would be a wrong state.
    /// </summary>
    public void Fill(StreamCursor cursor, EntryBatch into)
    {
        // The entry before the first one wanted is read too, for its hash.
        var isFirst = cursor.PreviousHash is null;
        var from = isFirst ? Math.Max(cursor.Next - 1, 1) : cursor.Next;
        var expected = from;
        _entries.Bind(1, StreamHead.Key(cursor.Row, from)).Bind(2, StreamHead.Key(cursor.Row, cursor.Last));
        if (isFirst && cursor.Next == 1)
        {
            cursor.PreviousHash = HashChain.Genesis;
        }

        while (expected <= cursor.Last)
        {
            if (!_entries.Step() || StreamHead.SequenceOf(_entries.Int64(0)) != expected)
            {
                _entries.Reset();
                throw SqliteFailures.Damaged($"{cursor.Stream}: entry {expected} is missing.");
            }

            var entry = Decode(cursor.Stream, expected, cursor.PreviousHash ?? default);
            if (expected++ >= cursor.Next)
            {
                into.Add(entry);
                cursor.Next = expected;
            }

            cursor.PreviousHash = entry.Hash;
            if (into.IsFull)
            {
                break;
            }
        }

        _entries.Reset();
    }

    public void Dispose()
    {
        _head.Dispose();
        _heads.Dispose();
        _entries.Dispose();
        _connection.Dispose();
    }

    private Entry Decode(StreamId stream, long sequence, ReadOnlyMemory<byte> previous)
    {
        var payload = _entries.Bytes(4);
        var hash = _entries.Bytes(5);
        var at = _entries.Int64(1);
        var version = _entries.Int64(3);
        if (hash.Length != HashLength || !IsTime(at) || version is < 1 or > int.MaxValue)
        {
            _entries.Reset();
            throw SqliteFailures.Damaged($"{stream}: entry {sequence} cannot be read.");
        }

        // Payload and hash share one array: one allocation a row instead of two.
        var bytes = new byte[payload.Length + HashLength];
        payload.CopyTo(bytes);
        hash.CopyTo(bytes.AsSpan(payload.Length));
        return new Entry(
            stream,
            sequence,
            DateTimeOffset.FromUnixTimeMilliseconds(at),
            _kinds.Of(_entries.Bytes(2)),
            (int)version,
            bytes.AsMemory(0, payload.Length),
            previous,
            bytes.AsMemory(payload.Length));
    }

    /// <summary>True when a date can hold these milliseconds.</summary>
    public static bool IsTime(long milliseconds) =>
        milliseconds >= DateTimeOffset.MinValue.ToUnixTimeMilliseconds() && milliseconds <= DateTimeOffset.MaxValue.ToUnixTimeMilliseconds();

    private static StreamHead HeadOf(Statement row) =>
        new(row.Int64(0), new StreamId(row.Text(1)), row.Int64(2), row.Bytes(3).ToArray());
}
