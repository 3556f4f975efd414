using Drella.Core;
using Drella.Core.Journal;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Journal and blobs in one data folder: <c>journal.db</c> and <c>blobs.db</c>. Dispose finishes what waits; the folder is its caller's.</summary>
public sealed partial class SqliteJournalStore : IAsyncDisposable
{
    private readonly string _folder;
    private readonly Pool<JournalReader> _journalReaders;
    private readonly Pool<BlobReader> _blobReaders;
    private readonly StreamSignals _signals = new();
    private readonly JournalWriter? _writer;
    private readonly BlobCommitter? _committer;

    private SqliteJournalStore(string folder, SqliteConnection? journal, SqliteConnection? blobs, TimeProvider time, ILogger logger)
    {
        _folder = folder;
        _journalReaders = new Pool<JournalReader>(() => new JournalReader(Path.Combine(folder, Database.JournalFile)));
        _blobReaders = new Pool<BlobReader>(() => new BlobReader(Path.Combine(folder, Database.BlobFile)));
        _writer = journal is null ? null : new JournalWriter(journal, _signals, time, logger);
        _committer = blobs is null ? null : new BlobCommitter(blobs, logger);
        Journal = new SqliteJournal(_journalReaders, _signals, _writer);
        Blobs = new SqliteBlobStore(_blobReaders, _committer);
    }

    /// <summary>The journal.</summary>
    public IJournal Journal { get; }

    /// <summary>The blobs. In a file of their own, so with a sync of their own: flush a blob before appending the entry that refers to it.</summary>
    public IBlobStore Blobs { get; }

    /// <summary>
    /// Opens for reading and writing: makes the files when absent, brings an older schema up to date, checks integrity. Throws
    /// <see cref="DriverException"/> with a remedy when the schema is newer (<see cref="DriverFailure.Invalid"/>), the content damaged
    /// (<see cref="DriverFailure.Invalid"/>) or the disk full (<see cref="DriverFailure.Exhausted"/>).
    /// </summary>
    public static Task<SqliteJournalStore> OpenAsync(
        SqliteJournalOptions options, TimeProvider time, ILogger<SqliteJournalStore> logger, CancellationToken cancellationToken) =>
        Task.Run(() => Open(options, time, logger), cancellationToken);

    /// <summary>Opens what is there for reading only, also while a daemon writes to it. Following sees no growth made by another process.</summary>
    public static Task<SqliteJournalStore> OpenReadOnlyAsync(
        string folder, TimeProvider time, ILogger<SqliteJournalStore> logger, CancellationToken cancellationToken) =>
        Task.Run(() => OpenReadOnly(folder, time, logger), cancellationToken);

    /// <summary>
    /// Copies both files, as of now, into a new folder while the journal goes on; the copy is verified entry by entry before it takes its
    /// name. The result is a data folder: start a daemon on it to restore.
    /// </summary>
    /// <param name="destination">A folder that does not exist yet.</param>
    /// <param name="progress">From 0 to 1.</param>
    /// <param name="cancellationToken">Stops and leaves nothing behind.</param>
    public Task BackupAsync(string destination, IProgress<double>? progress, CancellationToken cancellationToken) =>
        Task.Run(() => Backup.Run(_folder, destination, progress, cancellationToken), cancellationToken);

    public async ValueTask DisposeAsync()
    {
        if (_committer is not null)
        {
            await _committer.DisposeAsync();
        }

        if (_writer is not null)
        {
            await _writer.DisposeAsync();
        }

        _signals.Dispose();
        _journalReaders.Dispose();
        _blobReaders.Dispose();
    }

    private static SqliteJournalStore Open(SqliteJournalOptions options, TimeProvider time, ILogger<SqliteJournalStore> logger)
    {
        var started = time.GetTimestamp();
        var folder = options.Folder.Path;
        SqliteConnection? journal = null;
        SqliteConnection? blobs = null;
        try
        {
            journal = Prepare(Path.Combine(folder, Database.JournalFile), Schema.Journal, StartCheck.Journal, options.MaxPages);
            blobs = Prepare(Path.Combine(folder, Database.BlobFile), Schema.Blobs, StartCheck.Blobs, options.MaxPages);
            var store = new SqliteJournalStore(folder, journal, blobs, time, logger);
            (journal, blobs) = (null, null);
            LogOpened(logger, folder, time.GetElapsedTime(started));
            return store;
        }
        catch (SqliteException failure)
        {
            throw SqliteFailures.Of(failure, $"opening the journal in {folder}");
        }
        finally
        {
            journal?.Dispose();
            blobs?.Dispose();
        }
    }

    private static SqliteConnection Prepare(string path, Schema schema, Action<SqliteConnection> check, long? maxPages)
    {
        SqliteConnection? connection = Database.OpenWriter(path, maxPages);
        try
        {
            schema.Migrate(connection);
            check(connection);
            var prepared = connection;
            connection = null;
            return prepared;
        }
        finally
        {
            connection?.Dispose();
        }
    }

    private static SqliteJournalStore OpenReadOnly(string folder, TimeProvider time, ILogger logger)
    {
        var path = Path.GetFullPath(folder);
        if (!File.Exists(Path.Combine(path, Database.JournalFile)) || !File.Exists(Path.Combine(path, Database.BlobFile)))
        {
            throw new DriverException(isTransient: false, $"There is no journal in {path}. Name the data folder of a daemon, or a backup.") { Failure = DriverFailure.NotFoundOrNoAccess };
        }

        try
        {
            using var journal = Database.OpenReader(Path.Combine(path, Database.JournalFile));
            Schema.Journal.Require(journal);
            using var blobs = Database.OpenReader(Path.Combine(path, Database.BlobFile));
            Schema.Blobs.Require(blobs);
        }
        catch (SqliteException failure)
        {
            throw SqliteFailures.Of(failure, $"opening the journal in {path}");
        }

        return new SqliteJournalStore(path, null, null, time, logger);
    }

    [LoggerMessage(LogLevel.Information, "Journal in {Folder} checked and open after {Elapsed}")]
    private static partial void LogOpened(ILogger logger, string folder, TimeSpan elapsed);
}
