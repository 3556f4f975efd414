using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Opens the two files of the data folder with the settings that make a commit durable.</summary>
internal static class Database
{
    public const string JournalFile = "journal.db";
    public const string BlobFile = "blobs.db";

    public static SqliteConnection OpenWriter(string path, long? maxPages = null)
    {
        var connection = Open(path, SqliteOpenMode.ReadWriteCreate);
        // FULL and not NORMAL: in WAL mode NORMAL does not sync at a commit, and an acknowledged entry could be lost with the power.
        Execute(connection, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=4000; PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-16384;");
        if (maxPages is { } pages)
        {
            Execute(connection, $"PRAGMA max_page_count={pages};");
        }

        return connection;
    }

    // No memory map: with one, a disk that fails ends the process by a signal instead of an error.
    public static SqliteConnection OpenReader(string path)
    {
        var connection = Open(path, SqliteOpenMode.ReadOnly);
        Execute(connection, "PRAGMA query_only=ON; PRAGMA cache_size=-4096;");
        return connection;
    }

    public static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // Only constants and numbers of ours come here.
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>
    /// Ends a transaction that failed and folds the write-ahead log back, so that its room is free for the next one.
    /// Both are attempts: SQLite has often rolled back by itself, and a full disk may refuse the second.
    /// </summary>
    public static void Abandon(SqliteConnection connection)
    {
        foreach (var sql in new[] { "ROLLBACK", "PRAGMA wal_checkpoint(TRUNCATE)" })
        {
            try
            {
                Execute(connection, sql);
            }
            catch (SqliteException)
            {
                // The failure that led here is the one that is told.
            }
        }
    }

    private static SqliteConnection Open(string path, SqliteOpenMode mode)
    {
        var connection = new SqliteConnection(new SqliteConnectionStringBuilder
        {
            DataSource = path,
            Mode = mode,
            Pooling = false,
        }.ToString());
        try
        {
            connection.Open();
            Execute(connection, "PRAGMA busy_timeout=5000; PRAGMA trusted_schema=OFF;");
            return connection;
        }
        catch (SqliteException)
        {
            connection.Dispose();
            throw;
        }
    }
}
