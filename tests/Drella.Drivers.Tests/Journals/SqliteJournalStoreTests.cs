using System.Runtime.Versioning;
using Drella.Core;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Drivers.Tests.Journals;

public sealed class SqliteJournalStoreTests
{
    private static readonly StreamId Job = new("job/a");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Open_GoesOnWhereTheLastProcessStopped()
    {
        await using var open = await OpenStore.NewAsync();
        var before = await AppendAsync(open, 0);
        await open.CloseAsync();
        await open.OpenAsync();

        var after = await AppendAsync(open, 1);

        Assert.Equal(before.Hash.ToArray(), after.PreviousHash.ToArray());
        Assert.Equal(new ChainReport(1, 2, null), await open.Store.Journal.VerifyAsync(null, Cancellation));
    }

    [Fact]
    public async Task Open_OfTheSameFolderTwiceIsRefusedUntilTheFirstLetsGo()
    {
        await using var open = await OpenStore.NewAsync();

        var refused = Assert.Throws<DriverException>(() => DataFolder.Open(open.Path, TimeProvider.System));

        Assert.Equal(DriverFailure.Conflict, refused.Failure);
        Assert.Contains($"process {Environment.ProcessId} (", refused.Message, StringComparison.Ordinal);
        Assert.Equal(Environment.ProcessId, DataFolder.HolderOf(open.Path)?.ProcessId);
        await open.CloseAsync();
        Assert.Null(DataFolder.HolderOf(open.Path));
        await open.OpenAsync();
    }

    [Fact]
    [SupportedOSPlatform("linux")]
    public async Task Open_MakesAFolderThatOnlyItsOwnerReads()
    {
        await using var root = new OpenStore();
        var path = Path.Combine(root.Path, "new", "data");

        using var folder = DataFolder.Open(path, TimeProvider.System);

        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute, File.GetUnixFileMode(path));
    }

    [Fact]
    public async Task Open_SaysThatThePathIsNoFolder()
    {
        await using var root = new OpenStore();
        var path = Path.Combine(root.Path, "file");
        await File.WriteAllTextAsync(path, "x", Cancellation);

        var refused = Assert.Throws<DriverException>(() => DataFolder.Open(path, TimeProvider.System));

        Assert.Equal(DriverFailure.Invalid, refused.Failure);
        Assert.Contains("cannot be used", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Read_MayBeLeftEarlyAndTheStoreClosedAtOnce()
    {
        await using var open = await OpenStore.NewAsync();
        for (var round = 0; round < 8; round++)
        {
            await open.Store.Journal.AppendAsync(Job, null, [.. Enumerable.Repeat(Entry, 500)], Cancellation);
        }

        await foreach (var entry in open.Store.Journal.ReadAsync(Job, 0, Cancellation))
        {
            Assert.Equal(1, entry.Sequence);
            break;
        }

        await open.CloseAsync();
        await open.OpenAsync();
        Assert.Equal(4000, (await open.Store.Journal.VerifyAsync(Job, Cancellation)).Entries);
    }

    [Fact]
    public async Task OpenReadOnly_SaysThatThereIsNoJournal()
    {
        await using var open = new OpenStore();

        var refused = await Assert.ThrowsAsync<DriverException>(() => SqliteJournalStore.OpenReadOnlyAsync(
            open.Path, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, Cancellation));

        Assert.Equal(DriverFailure.NotFoundOrNoAccess, refused.Failure);
        Assert.Empty(Directory.GetFileSystemEntries(open.Path));
    }

    [Fact]
    public async Task Dispose_FinishesWhatWaitsAndRefusesTheRest()
    {
        await using var open = await OpenStore.NewAsync();
        var journal = open.Store.Journal;
        var waiting = Enumerable.Range(0, 200).Select(_ => journal.AppendAsync(Job, null, [Entry], Cancellation)).ToList();

        await open.CloseAsync();

        var kept = await Task.WhenAll(waiting);
        Assert.Equal(Enumerable.Range(1, 200).Select(number => (long)number), kept.Select(entries => entries[0].Sequence).Order());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => journal.AppendAsync(Job, null, [Entry], Cancellation));
        await open.OpenAsync();
        Assert.Equal(200, (await open.Store.Journal.VerifyAsync(Job, Cancellation)).Entries);
    }

    [Fact(Timeout = 60_000)]
    public async Task Follow_SubscribesBeforeItsFirstReadAndLetsGoAtItsEnd()
    {
        // In the other order, what becomes durable between the read and the subscription would never be seen.
        await using var open = await OpenStore.NewAsync();
        using var signals = new StreamSignals();
        var atFirstRead = -1;
        using var readers = new Pool<JournalReader>(() =>
        {
            atFirstRead = signals.Count;
            return new JournalReader(open.JournalFile);
        });
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        var following = new SqliteJournal(readers, signals, writer: null).FollowAsync(Job, 0, stop.Token).GetAsyncEnumerator(stop.Token);
        var next = following.MoveNextAsync().AsTask();

        Assert.Equal(1, atFirstRead);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
        Assert.Equal(0, signals.Count);
    }

    [Fact(Timeout = 60_000)]
    public async Task Dispose_EndsThoseWhoFollow()
    {
        await using var open = await OpenStore.NewAsync();
        await using var following = open.Store.Journal.FollowAsync(Job, 0, Cancellation).GetAsyncEnumerator(Cancellation);
        var next = following.MoveNextAsync().AsTask();

        await open.CloseAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => next);
    }

    [Fact(Timeout = 60_000)]
    public async Task Dispose_FailsABlobThatIsStillOpen()
    {
        await using var open = await OpenStore.NewAsync();
        var writer = await open.Store.Blobs.AppendAsync(new BlobId("job/t"), Cancellation);
        await writer.WriteAsync("kept"u8.ToArray(), Cancellation);

        await open.CloseAsync();

        await Assert.ThrowsAsync<DriverException>(async () =>
        {
            await writer.WriteAsync("lost"u8.ToArray(), Cancellation);
            await writer.FlushAsync(Cancellation);
        });
        await writer.DisposeAsync();
        await open.OpenAsync();
        Assert.Equal(4, await open.Store.Blobs.LengthAsync(new BlobId("job/t"), Cancellation));
    }

    [Fact(Timeout = 60_000)]
    public async Task Append_IsCommittedTogetherWithAllWhoWaited()
    {
        await using var open = await OpenStore.NewAsync();
        List<Task<IReadOnlyList<Entry>>> waiting;
        await using (var other = new SqliteConnection($"Data Source={open.JournalFile};Pooling=False"))
        {
            // While another process has the database, everybody has to wait.
            await other.OpenAsync(Cancellation);
            await using var hold = other.BeginTransaction(deferred: false);
            waiting = [.. Enumerable.Range(0, 500).Select(number => open.Store.Journal.AppendAsync(new StreamId($"job/{number}"), 0, [Entry], Cancellation))];
        }

        await Task.WhenAll(waiting);

        // A commit of its own takes at least three pages; two commits for all take a few dozen.
        var pages = new FileInfo(open.JournalFile + "-wal").Length / 4096;
        Assert.True(pages < 500, $"{pages} pages were written for 500 small appends: as if each had been committed alone");
    }

    private static NewEntry Entry => new("k", 1, "{}"u8.ToArray());

    private static async Task<Entry> AppendAsync(OpenStore open, long after) =>
        (await open.Store.Journal.AppendAsync(Job, after, [Entry], Cancellation))[0];
}
