using System.Globalization;
using Dapper;
using Drella.Core;
using Microsoft.Data.Sqlite;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>The shape of one file: its mark, and the numbered scripts that lead to it.</summary>
internal sealed record Schema(string Name, int ApplicationId)
{
    public static readonly Schema Journal = new("journal", 0x64726C6A);
    public static readonly Schema Blobs = new("blobs", 0x64726C62);

    private const string ResourceRoot = "Journals/Sqlite/";

    /// <summary>The newest version this program knows.</summary>
    public int Version => Scripts().Count;

    /// <summary>Brings the file to <see cref="Version"/>, one transaction a step. Refuses a foreign or a newer file.</summary>
    public void Migrate(SqliteConnection connection)
    {
        var found = Inspect(connection);
        var scripts = Scripts();
        for (var version = found + 1; version <= scripts.Count; version++)
        {
            using var transaction = connection.BeginTransaction(deferred: false);
            Database.Execute(connection, Read(scripts[version - 1]));
            Database.Execute(connection, $"PRAGMA application_id={ApplicationId}; PRAGMA user_version={version};");
            transaction.Commit();
        }
    }

    /// <summary>Refuses any version but the newest; for those who may not change the file.</summary>
    public void Require(SqliteConnection connection)
    {
        var found = Inspect(connection);
        if (found < Version)
        {
            throw Refusal($"{connection.DataSource} has schema version {found}, this drella reads version {Version}. Start the daemon once to bring it up to date.");
        }
    }

    private int Inspect(SqliteConnection connection)
    {
        var mark = connection.ExecuteScalar<int>("PRAGMA application_id");
        var version = connection.ExecuteScalar<int>("PRAGMA user_version");
        var isEmpty = connection.ExecuteScalar<long>("SELECT count(*) FROM sqlite_schema") == 0;
        if (mark != ApplicationId && !(isEmpty && mark == 0))
        {
            throw Refusal($"{connection.DataSource} is not a drella {Name} file (application id 0x{mark:x8}). Name another data folder, or move the file away.");
        }

        if (version > Version)
        {
            throw Refusal(
                $"{connection.DataSource} has schema version {version}, this drella knows versions up to {Version}. "
                + "Use the newer drella that wrote it, or a data folder restored from a backup made before the upgrade.");
        }

        return version;
    }

    private List<string> Scripts() =>
    [
        .. typeof(Schema).Assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith($"{ResourceRoot}{Name}/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal),
    ];

    private static string Read(string resource)
    {
        using var stream = typeof(Schema).Assembly.GetManifestResourceStream(resource)
            ?? throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture, $"The script {resource} is not in the assembly."));
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private static DriverException Refusal(string message) => new(isTransient: false, message) { Failure = DriverFailure.Invalid };
}
