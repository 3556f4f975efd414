using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Where a stream stands: its row, its last sequence and that entry's hash.</summary>
internal sealed record StreamHead(long Row, StreamId Stream, long Sequence, ReadOnlyMemory<byte> Hash)
{
    private const int SequenceBits = 32;

    /// <summary>The largest sequence a stream can reach.</summary>
    public const long MaxSequence = (1L << SequenceBits) - 1;

    /// <summary>Key of the entry with this sequence.</summary>
    public static long Key(long row, long sequence) => (row << SequenceBits) | sequence;

    public static long RowOf(long key) => key >> SequenceBits;

    public static long SequenceOf(long key) => key & MaxSequence;
}
