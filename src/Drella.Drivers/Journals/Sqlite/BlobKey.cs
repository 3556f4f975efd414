namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Where a chunk lies: its blob's row and the offset of its first byte in one clustered key.</summary>
internal static class BlobKey
{
    private const int OffsetBits = 36;

    /// <summary>The largest blob: 64 GiB.</summary>
    public const long MaxLength = 1L << OffsetBits;

    public static long Of(long row, long offset) => (row << OffsetBits) | offset;

    public static long OffsetOf(long key) => key & (MaxLength - 1);
}
