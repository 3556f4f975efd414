using System.Globalization;
using Drella.Core;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>A copy of the data folder's files while they are in use: a partial folder, copied, verified, synced, then renamed.</summary>
internal static class Backup
{
    private const int PagesAStep = 1024;

    public static void Run(string folder, string destination, IProgress<double>? progress, CancellationToken cancellationToken)
    {
        var final = Path.GetFullPath(destination);
        var partial = string.Create(CultureInfo.InvariantCulture, $"{final}.partial-{Environment.ProcessId}");
        if (Path.Exists(final) || Path.Exists(partial))
        {
            throw new DriverException(isTransient: false, $"{final} exists already, or a backup to it runs. Name a folder that does not exist.") { Failure = DriverFailure.Conflict };
        }

        var isDone = false;
        try
        {
            Directory.CreateDirectory(partial);

            // The journal first: an entry is appended after the blob it refers to, so the later copy of the blobs holds them all.
            Copy(folder, partial, Database.JournalFile, Part(progress, 0, 0.4), cancellationToken);
            Copy(folder, partial, Database.BlobFile, Part(progress, 0.4, 0.8), cancellationToken);
            Verify(partial, cancellationToken);
            DirectorySync.Flush(partial);
            Directory.Move(partial, final);
            DirectorySync.Flush(Path.GetDirectoryName(final) ?? final);
            progress?.Report(1);
            isDone = true;
        }
        catch (SqliteException failure)
        {
            throw SqliteFailures.Of(failure, $"backing up {folder} to {final}");
        }
        catch (IOException failure)
        {
            throw new DriverException(isTransient: true, $"backing up {folder} to {final}: {failure.Message}", failure) { Failure = DriverFailure.Exhausted };
        }
        finally
        {
            if (!isDone && Directory.Exists(partial))
            {
                Directory.Delete(partial, recursive: true);
            }
        }
    }

    private static void Copy(string from, string to, string file, Action<double> report, CancellationToken cancellationToken)
    {
        using var source = Database.OpenReader(Path.Combine(from, file));
        using var target = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(to, file), Pooling = false }.ToString());
        target.Open();
        Database.Execute(target, "PRAGMA synchronous=FULL;");

        // Inside one read: else each commit of the daemon would make the copy start again from the first page.
        using var snapshot = source.BeginTransaction(deferred: true);
        Database.Execute(source, "SELECT 1 FROM sqlite_schema");
        using var copy = raw.sqlite3_backup_init(target.Handle, "main", source.Handle, "main");
        while (true)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var code = raw.sqlite3_backup_step(copy, PagesAStep);
            if (code is not (raw.SQLITE_OK or raw.SQLITE_DONE))
            {
                throw new SqliteException($"SQLite error {code} while copying {file}", code & 0xff, code);
            }

            var pages = raw.sqlite3_backup_pagecount(copy);
            report(pages == 0 ? 1 : 1 - ((double)raw.sqlite3_backup_remaining(copy) / pages));
            if (code == raw.SQLITE_DONE)
            {
                break;
            }
        }
    }

    private static void Verify(string folder, CancellationToken cancellationToken)
    {
        using (var blobs = Database.OpenWriter(Path.Combine(folder, Database.BlobFile)))
        {
            StartCheck.QuickCheck(blobs);
            StartCheck.Blobs(blobs);
        }

        using (var journal = Database.OpenWriter(Path.Combine(folder, Database.JournalFile)))
        {
            StartCheck.Journal(journal);
            using var reader = new JournalReader(Path.Combine(folder, Database.JournalFile));
            if (ChainCheck.Run(reader, null, cancellationToken).FirstBad is { } bad)
            {
                throw SqliteFailures.Damaged($"The copy is not kept: {bad.Stream}, entry {bad.Sequence}: {bad.What}.");
            }
        }
    }

    private static Action<double> Part(IProgress<double>? progress, double from, double to) =>
        share => progress?.Report(from + (share * (to - from)));
}
