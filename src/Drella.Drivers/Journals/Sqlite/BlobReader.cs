using Drella.Core;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>One read-only connection to the blobs. One thread at a time; no read stays open between calls.</summary>
internal sealed class BlobReader : IDisposable
{
    private const int MostBytes = 256 << 10;

    private readonly SqliteConnection _connection;
    private readonly Statement _find;
    private readonly Statement _holding;
    private readonly Statement _chunks;

    public BlobReader(string path)
    {
        _connection = Database.OpenReader(path);
        _find = new Statement(_connection, "SELECT id, length FROM blobs WHERE name = ?1");
        _holding = new Statement(_connection, "SELECT id FROM chunks WHERE id BETWEEN ?1 AND ?2 ORDER BY id DESC LIMIT 1");
        _chunks = new Statement(_connection, "SELECT id, data FROM chunks WHERE id BETWEEN ?1 AND ?2 ORDER BY id");
    }

    /// <summary>The blob's row and durable length; row 0 when absent.</summary>
    public (long Row, long Length) Find(string name)
    {
        _find.Bind(1, name);
        var found = _find.Step() ? (_find.Int64(0), _find.Int64(1)) : (0, 0);
        _find.Reset();
        return found;
    }

    /// <summary>A few chunks from <paramref name="offset"/> on, none beyond <paramref name="end"/>.</summary>
    public List<ReadOnlyMemory<byte>> Read(long row, long offset, long end)
    {
        _holding.Bind(1, BlobKey.Of(row, 0)).Bind(2, BlobKey.Of(row, offset));
        var from = _holding.Step() ? BlobKey.OffsetOf(_holding.Int64(0)) : throw Hole(offset);
        _holding.Reset();

        var found = new List<ReadOnlyMemory<byte>>();
        var bytes = 0;
        _chunks.Bind(1, BlobKey.Of(row, from)).Bind(2, BlobKey.Of(row, end - 1));
        while (bytes < MostBytes && offset < end && _chunks.Step())
        {
            var start = BlobKey.OffsetOf(_chunks.Int64(0));
            var data = _chunks.Bytes(1);
            if (start > offset || start + data.Length <= offset)
            {
                _chunks.Reset();
                throw Hole(offset);
            }

            var wanted = data[(int)(offset - start)..];
            wanted = wanted[..(int)Math.Min(wanted.Length, end - offset)];
            found.Add(wanted.ToArray());
            offset += wanted.Length;
            bytes += wanted.Length;
        }

        _chunks.Reset();
        return found.Count > 0 || offset >= end ? found : throw Hole(offset);
    }

    public void Dispose()
    {
        _find.Dispose();
        _holding.Dispose();
        _chunks.Dispose();
        _connection.Dispose();
    }

    private DriverException Hole(long offset) => SqliteFailures.Damaged($"{_connection.DataSource}: the bytes at {offset} of a blob are missing.");
}
