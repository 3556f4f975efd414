using Drella.Core.Journal;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Where each stream stands, as the writer knows it: read once, then kept in memory, written with each batch.</summary>
internal sealed class StreamTable(SqliteConnection connection) : IDisposable
{
    private readonly Statement _find = new(connection, "SELECT id, last_seq, last_hash FROM streams WHERE name = ?1");
    private readonly Statement _create = new(connection, "INSERT INTO streams (name, last_seq, last_hash) VALUES (?1, 0, ?2) RETURNING id");
    private readonly Statement _save = new(connection, "UPDATE streams SET last_seq = ?2, last_hash = ?3 WHERE id = ?1");

    private readonly Dictionary<StreamId, StreamHead> _durable = [];
    private readonly Dictionary<StreamId, StreamHead> _grown = [];

    public StreamHead? Find(StreamId stream)
    {
        if (_grown.TryGetValue(stream, out var head) || _durable.TryGetValue(stream, out head))
        {
            return head;
        }

        _find.Bind(1, stream.Value);
        if (_find.Step())
        {
            head = new StreamHead(_find.Int64(0), stream, _find.Int64(1), _find.Bytes(2).ToArray());
            _durable.Add(stream, head);
        }

        _find.Reset();
        return head;
    }

    public StreamHead Create(StreamId stream)
    {
        _create.Bind(1, stream.Value).Bind(2, HashChain.Genesis.Span);
        _create.Step();
        var row = _create.Int64(0);
        _create.Run();
        return new StreamHead(row, stream, 0, HashChain.Genesis);
    }

    /// <summary>Notes that the stream grew in the transaction that runs.</summary>
    public void Grow(StreamHead head) => _grown[head.Stream] = head;

    public void SaveGrown()
    {
        foreach (var head in _grown.Values)
        {
            _save.Bind(1, head.Row).Bind(2, head.Sequence).Bind(3, head.Hash.Span).Run();
        }
    }

    /// <summary>After the commit: what grew is now durable.</summary>
    public List<StreamId> Settle()
    {
        List<StreamId> streams = [.. _grown.Keys];
        foreach (var (stream, head) in _grown)
        {
            _durable[stream] = head;
        }

        _grown.Clear();
        return streams;
    }

    /// <summary>After a failure: memory may know more than the disk, so it is read again.</summary>
    public void Forget()
    {
        _grown.Clear();
        _durable.Clear();
    }

    public void Dispose()
    {
        _find.Dispose();
        _create.Dispose();
        _save.Dispose();
    }
}
