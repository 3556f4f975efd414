using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>How far a read of one stream has come.</summary>
internal sealed class StreamCursor(StreamHead head, long after)
{
    public long Row { get; } = head.Row;

    public StreamId Stream { get; } = head.Stream;

    /// <summary>The last sequence to give.</summary>
    public long Last { get; } = head.Sequence;

    /// <summary>The next sequence to give.</summary>
    public long Next { get; set; } = after + 1;

    /// <summary>Hash of the entry before <see cref="Next"/>; null until it was read.</summary>
    public ReadOnlyMemory<byte>? PreviousHash { get; set; }

    public bool IsDone => Next > Last;
}
