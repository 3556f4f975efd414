using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Storage;

/// <summary>
/// The forge's one SQLite file: write-ahead log, every commit synced. Reads run beside each other on pooled connections; writes are
/// transactions on one connection, one at a time. A file of a newer schema is refused.
/// </summary>
internal sealed class Database : IDisposable
{
    private readonly string _connectionString;
    private readonly SqliteConnection _writer;
    private readonly Lock _gate = new();

    public Database(string file)
    {
        _connectionString = new SqliteConnectionStringBuilder { DataSource = file, ForeignKeys = true, DefaultTimeout = 30 }.ToString();
        _writer = Open();
        _writer.Execute("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;");
        Migrate();
    }

    /// <summary>Raised after each commit, so that nobody is woken before there is something to see.</summary>
    public event Action? Committed;

    public T Read<T>(Func<SqliteConnection, T> query)
    {
        using var connection = Open();
        return query(connection);
    }

    public T Write<T>(Func<SqliteConnection, T> change)
    {
        T result;
        lock (_gate)
        {
            using var transaction = _writer.BeginTransaction(deferred: false);
            result = change(_writer);
            transaction.Commit();
        }

        Committed?.Invoke();
        return result;
    }

    public void Write(Action<SqliteConnection> change) => Write(connection =>
    {
        change(connection);
        return true;
    });

    public void Dispose()
    {
        _writer.Dispose();
        using var pooled = new SqliteConnection(_connectionString);
        SqliteConnection.ClearPool(pooled);
    }

    private SqliteConnection Open()
    {
        var connection = new SqliteConnection(_connectionString);
        connection.Open();
        return connection;
    }

    private void Migrate()
    {
        var assembly = typeof(Database).Assembly;
        var scripts = assembly.GetManifestResourceNames().Where(n => n.StartsWith("migrations/", StringComparison.Ordinal))
            .Order(StringComparer.Ordinal).ToList();
        var version = _writer.ExecuteScalar<int>("PRAGMA user_version");
        if (version > scripts.Count)
        {
            throw new InvalidOperationException(
                $"The forge database has schema {version}; this program knows {scripts.Count}. Run the version that wrote it, or restore a backup.");
        }

        for (; version < scripts.Count; version++)
        {
            using var stream = assembly.GetManifestResourceStream(scripts[version])!;
            using var reader = new StreamReader(stream);
            var script = reader.ReadToEnd();
            using var transaction = _writer.BeginTransaction(deferred: false);
            _writer.Execute(script + string.Create(CultureInfo.InvariantCulture, $"\nPRAGMA user_version = {version + 1};"));
            transaction.Commit();
        }
    }
}
