using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>What one visit to the database brings, bounded in number and in bytes.</summary>
internal sealed class EntryBatch
{
    private const int MostEntries = 512;
    private const long MostBytes = 1 << 20;

    private readonly List<Entry> _entries = new(MostEntries);
    private long _bytes;

    public IReadOnlyList<Entry> Entries => _entries;

    public int Count => _entries.Count;

    public Entry this[int index] => _entries[index];

    public bool IsFull => _entries.Count >= MostEntries || _bytes >= MostBytes;

    public void Add(Entry entry)
    {
        _entries.Add(entry);
        _bytes += entry.Payload.Length;
    }

    public void Clear()
    {
        _entries.Clear();
        _bytes = 0;
    }
}
