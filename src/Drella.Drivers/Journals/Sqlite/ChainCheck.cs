using Dapper;
using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>
/// Recomputes every hash, and holds the end of each stream against the <c>streams</c> table, so that a cut tail is found too.
/// Reads one stream a transaction: a live journal may grow meanwhile.
/// </summary>
internal static class ChainCheck
{
    public static ChainReport Run(JournalReader reader, StreamId? only, CancellationToken cancellationToken)
    {
        var heads = only is { } stream
            ? reader.Head(stream) is { } one ? [one] : new List<StreamHead>()
            : reader.Heads("");
        var entries = 0L;
        BrokenLink? bad = null;
        foreach (var head in heads)
        {
            bad ??= Check(reader, head.Stream, ref entries, cancellationToken);
        }

        if (only is null)
        {
            bad ??= Strays(reader);
        }

        return new ChainReport(heads.Count, entries, bad);
    }

    private static BrokenLink? Check(JournalReader reader, StreamId stream, ref long count, CancellationToken cancellationToken)
    {
        // One snapshot for the head and its entries.
        using var snapshot = reader.Connection.BeginTransaction(deferred: true);
        if (reader.Head(stream) is not { } head)
        {
            return new BrokenLink(stream, 0, "the stream is gone");
        }

        using var rows = new Statement(reader.Connection, "SELECT id, at, kind, version, payload, hash FROM entries WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
        rows.Bind(1, StreamHead.Key(head.Row, 0)).Bind(2, StreamHead.Key(head.Row, StreamHead.MaxSequence));
        var expected = 1L;
        ReadOnlySpan<byte> previous = HashChain.Genesis.Span;
        while (rows.Step())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var sequence = StreamHead.SequenceOf(rows.Int64(0));
            if (sequence != expected)
            {
                return sequence < expected
                    ? new BrokenLink(stream, sequence, "an entry stands before the first")
                    : new BrokenLink(stream, expected, $"the entry is missing; the next one found is {sequence}");
            }

            if (sequence > head.Sequence)
            {
                return new BrokenLink(stream, sequence, $"the stream ends at {head.Sequence}, yet there is an entry behind it");
            }

            var hash = rows.Bytes(5).ToArray();
            if (!IsWhole(rows) || !hash.AsSpan().SequenceEqual(Recompute(rows, previous, stream, sequence)))
            {
                return new BrokenLink(stream, sequence, "the hash does not cover what the entry and the one before it hold");
            }

            previous = hash;
            expected++;
            count++;
        }

        if (expected <= head.Sequence)
        {
            return new BrokenLink(stream, expected, $"the entry is missing; the stream should end at {head.Sequence}");
        }

        return previous.SequenceEqual(head.Hash.Span)
            ? null
            : new BrokenLink(stream, head.Sequence, "the hash of the last entry is not the one noted for the stream");
    }

    private static bool IsWhole(Statement row) => JournalReader.IsTime(row.Int64(1)) && row.Int64(3) is >= 1 and <= int.MaxValue;

    private static byte[] Recompute(Statement row, ReadOnlySpan<byte> previous, StreamId stream, long sequence) => HashChain.Compute(
        previous, stream, sequence, DateTimeOffset.FromUnixTimeMilliseconds(row.Int64(1)), row.Text(2), (int)row.Int64(3), row.Bytes(4));

    /// <summary>Entries whose stream is unknown, and streams that were removed whole.</summary>
    private static BrokenLink? Strays(JournalReader reader)
    {
        using var snapshot = reader.Connection.BeginTransaction(deferred: true);
        var known = reader.Connection.Query<long>("SELECT id FROM streams").ToHashSet();
        using var next = new Statement(reader.Connection, "SELECT id FROM entries WHERE id > ?1 ORDER BY id LIMIT 1");
        var key = long.MinValue;
        while (next.Bind(1, key).Step())
        {
            var row = StreamHead.RowOf(next.Int64(0));
            if (!known.Contains(row))
            {
                return new BrokenLink(new StreamId($"#{row}"), StreamHead.SequenceOf(next.Int64(0)), "the entry belongs to a stream that is not known");
            }

            next.Reset();
            key = StreamHead.Key(row, StreamHead.MaxSequence);
        }

        var issued = reader.Connection.ExecuteScalar<long?>("SELECT seq FROM sqlite_sequence WHERE name = 'streams'") ?? 0;
        for (var row = 1L; row <= issued; row++)
        {
            if (!known.Contains(row))
            {
                return new BrokenLink(new StreamId($"#{row}"), 0, "the whole stream was removed");
            }
        }

        return null;
    }
}
