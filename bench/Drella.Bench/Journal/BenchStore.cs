using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Journal;

/// <summary>The real store in a folder, with the folder's lock.</summary>
internal sealed class BenchStore : IAsyncDisposable
{
    private readonly DataFolder folder;
    private readonly SqliteJournalStore store;

    private BenchStore(DataFolder folder, SqliteJournalStore store) => (this.folder, this.store) = (folder, store);

    public IJournal Journal => store.Journal;

    public IBlobStore Blobs => store.Blobs;

    public static async Task<BenchStore> OpenAsync(string path, CancellationToken cancellationToken)
    {
        var folder = DataFolder.Open(path, TimeProvider.System);
        try
        {
            return new BenchStore(folder, await SqliteJournalStore.OpenAsync(
                new SqliteJournalOptions { Folder = folder }, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, cancellationToken));
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        await store.DisposeAsync();
        folder.Dispose();
    }
}
