using Drella.Drivers.Journals.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Journals;

/// <summary>A journal store in a folder of its own, removed at the end.</summary>
internal sealed class OpenStore : IAsyncDisposable
{
    private readonly bool _ownsRoot;
    private DataFolder? _folder;
    private SqliteJournalStore? _store;

    public OpenStore(string? path = null)
    {
        _ownsRoot = path is null;
        Path = path ?? Directory.CreateTempSubdirectory("drella-journal-").FullName;
    }

    public string Path { get; }

    public string JournalFile => System.IO.Path.Combine(Path, "journal.db");

    public string BlobFile => System.IO.Path.Combine(Path, "blobs.db");

    public SqliteJournalStore Store => _store ?? throw new InvalidOperationException("The store is closed.");

    public static async Task<OpenStore> NewAsync() => await new OpenStore().OpenAsync();

    public async Task<OpenStore> OpenAsync(long? maxPages = null)
    {
        _folder = DataFolder.Open(Path, TimeProvider.System);
        try
        {
            _store = await SqliteJournalStore.OpenAsync(
                new SqliteJournalOptions { Folder = _folder, MaxPages = maxPages },
                TimeProvider.System,
                NullLogger<SqliteJournalStore>.Instance,
                TestContext.Current.CancellationToken);
            return this;
        }
        finally
        {
            if (_store is null)
            {
                _folder.Dispose();
            }
        }
    }

    public async Task CloseAsync()
    {
        if (_store is not null)
        {
            await _store.DisposeAsync();
        }

        _store = null;
        _folder?.Dispose();
        _folder = null;
    }

    /// <summary>Does to the file what only somebody with another tool can do.</summary>
    public static void Tamper(string file, string sql)
    {
        using var connection = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = file, Pooling = false }.ToString());
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        if (_ownsRoot)
        {
            Directory.Delete(Path, recursive: true);
        }
    }
}
