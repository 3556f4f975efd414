using Drella.Core;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Says in the factory's words what SQLite reported.</summary>
internal static class SqliteFailures
{
    public static DriverException Of(SqliteException failure, string attempted) => (failure.SqliteErrorCode & 0xff) switch
    {
        raw.SQLITE_FULL or raw.SQLITE_IOERR or raw.SQLITE_NOMEM => new DriverException(
            isTransient: true, $"{attempted}: no room, or the disk failed. Free space on the data folder's disk. {failure.Message}", failure)
        { Failure = DriverFailure.Exhausted },
        raw.SQLITE_BUSY or raw.SQLITE_LOCKED => new DriverException(
            isTransient: true, $"{attempted}: the database is held by another process. {failure.Message}", failure),
        raw.SQLITE_CORRUPT or raw.SQLITE_NOTADB => Damaged($"{attempted}: {failure.Message}", failure),
        _ => new DriverException(isTransient: false, $"{attempted}: {failure.Message}", failure),
    };

    /// <summary>The file on disk is not what was written. Carries the remedy.</summary>
    public static DriverException Damaged(string what, Exception? inner = null) => new(
        isTransient: false,
        $"{what} The journal is damaged. Stop the daemon, move the data folder aside, and start from the newest copy that `drella backup` made; "
        + "`drella verify` names the first bad entry.",
        inner)
    { Failure = DriverFailure.Invalid };
}
