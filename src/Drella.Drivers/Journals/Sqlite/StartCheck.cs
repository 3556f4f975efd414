using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>What is looked at before a journal is used: cheap enough for every start. <see cref="ChainCheck"/> is the whole check.</summary>
internal static class StartCheck
{
    public static void Journal(SqliteConnection connection)
    {
        QuickCheck(connection);
        var bad = connection.QueryFirstOrDefault<string>(
            """
            SELECT s.name FROM streams s LEFT JOIN entries e ON e.id = (s.id << 32 | s.last_seq)
            WHERE e.id IS NULL OR e.hash <> s.last_hash
               OR EXISTS (SELECT 1 FROM entries x WHERE x.id > (s.id << 32 | s.last_seq) AND x.id <= (s.id << 32 | 4294967295))
            ORDER BY s.id LIMIT 1
            """);
        if (bad is not null)
        {
            throw SqliteFailures.Damaged($"{connection.DataSource}: the end of stream {bad} is not what was last appended.");
        }

        var (present, issued) = connection.QuerySingle<(long, long)>(
            "SELECT (SELECT count(*) FROM streams), coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'streams'), 0)");
        if (present != issued)
        {
            throw SqliteFailures.Damaged($"{connection.DataSource}: {issued} streams were begun, {present} are there.");
        }
    }

    // Not the whole file: transcripts can be many gigabytes, and a start must not read them all.
    public static void Blobs(SqliteConnection connection)
    {
        var bad = connection.QueryFirstOrDefault<string>(
            """
            SELECT b.name FROM blobs b
            WHERE b.length <> coalesce((SELECT (c.id & 68719476735) + length(c.data) FROM chunks c
                                        WHERE c.id >= b.id << 36 AND c.id < (b.id + 1) << 36 ORDER BY c.id DESC LIMIT 1), 0)
            ORDER BY b.id LIMIT 1
            """);
        if (bad is not null)
        {
            throw SqliteFailures.Damaged($"{connection.DataSource}: the end of blob {bad} is not what was last written.");
        }
    }

    public static void QuickCheck(SqliteConnection connection)
    {
        var found = connection.ExecuteScalar<string>("PRAGMA quick_check(1)");
        if (found != "ok")
        {
            throw SqliteFailures.Damaged($"{connection.DataSource}: {found}.");
        }
    }
}
