using Drella.Core;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;

namespace Drella.Drivers.Tests.Journals;

public sealed class JournalBackupTests : IDisposable
{
    private static readonly StreamId Job = new("job/a");

    private readonly string _root = Directory.CreateTempSubdirectory("drella-backup-").FullName;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    private string Destination => Path.Combine(_root, "copy");

    [Fact(Timeout = 120_000)]
    public async Task Backup_IsAWholeDataFolderThoughEverybodyGoesOnWriting()
    {
        await using var open = await OpenStore.NewAsync();
        await AppendAsync(open.Store, 1500);
        await WriteBlobAsync(open.Store, 500_000);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var writing = Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested)
            {
                await AppendAsync(open.Store, 1);
            }
        });
        var progress = new Reports();

        await open.Store.BackupAsync(Destination, progress, Cancellation);
        await stop.CancelAsync();
        await writing;

        Assert.Equal(["blobs.db", "journal.db"], Directory.GetFiles(Destination).Select(Path.GetFileName).Order());
        Assert.Equal([Destination], Directory.GetFileSystemEntries(_root));
        Assert.Equal(1, progress.All[^1]);
        Assert.Equal(progress.All.Order(), progress.All);
        var live = await open.Store.Journal.ReadAsync(Job, 0, Cancellation).ToListAsync(Cancellation);
        await using var restored = await new OpenStore(Destination).OpenAsync();
        var copied = await restored.Store.Journal.ReadAsync(Job, 0, Cancellation).ToListAsync(Cancellation);
        Assert.InRange(copied.Count, 1500, live.Count);
        Assert.Equal(live[copied.Count - 1].Hash.ToArray(), copied[^1].Hash.ToArray());
        Assert.Equal(500_000, await restored.Store.Blobs.LengthAsync(new BlobId("job/t"), Cancellation));
        await AppendAsync(restored.Store, 1);
    }

    [Fact]
    public async Task Backup_IsRefusedWhenTheDestinationExists()
    {
        await using var open = await OpenStore.NewAsync();
        Directory.CreateDirectory(Destination);

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.Store.BackupAsync(Destination, null, Cancellation));

        Assert.Equal(DriverFailure.Conflict, refused.Failure);
        Assert.Empty(Directory.GetFileSystemEntries(Destination));
    }

    [Fact]
    public async Task Backup_OfADamagedJournalIsRefusedAndLeavesNothing()
    {
        await using var open = await OpenStore.NewAsync();
        await AppendAsync(open.Store, 10);
        OpenStore.Tamper(open.JournalFile, "UPDATE entries SET payload = x'7b7e' WHERE seq = 4");

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.Store.BackupAsync(Destination, null, Cancellation));

        Assert.Contains("job/a, entry 4", refused.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    [Fact]
    public async Task Backup_LeavesNothingWhenCancelled()
    {
        await using var open = await OpenStore.NewAsync();
        await AppendAsync(open.Store, 10);
        using var stop = new CancellationTokenSource();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(
            () => open.Store.BackupAsync(Destination, new Reports { First = stop.Cancel }, stop.Token));

        Assert.Empty(Directory.GetFileSystemEntries(_root));
    }

    public void Dispose() => Directory.Delete(_root, recursive: true);

    private static async Task AppendAsync(SqliteJournalStore store, int count)
    {
        var entries = Enumerable.Range(1, count).Select(number => new NewEntry("k", number, new byte[1000])).ToList();
        await store.Journal.AppendAsync(Job, null, entries, Cancellation);
    }

    private static async Task WriteBlobAsync(SqliteJournalStore store, int length)
    {
        await using var writer = await store.Blobs.AppendAsync(new BlobId("job/t"), Cancellation);
        await writer.WriteAsync(new byte[length], Cancellation);
    }

    private sealed class Reports : IProgress<double>
    {
        public List<double> All { get; } = [];

        public Action? First { get; init; }

        public void Report(double value)
        {
            All.Add(value);
            if (All.Count == 1)
            {
                First?.Invoke();
            }
        }
    }
}
