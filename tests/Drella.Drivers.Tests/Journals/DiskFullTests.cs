using System.Diagnostics;
using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Drivers.Tests.Journals;

public sealed class DiskFullTests
{
    private static readonly StreamId Job = new("job/a");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Append_IsRefusedWholeWhenTheFileMayNotGrowAndWorksAgainWhenItMay()
    {
        await using var open = new OpenStore();
        await open.OpenAsync(maxPages: 200);
        var kept = await FillAsync(open.Store.Journal);

        await AssertStandsAtAsync(open.Store.Journal, kept);
        await open.CloseAsync();
        await open.OpenAsync();
        await AssertStandsAtAsync(open.Store.Journal, kept);
        await open.Store.Journal.AppendAsync(Job, kept, [Large(1)], Cancellation);
    }

    [Fact]
    public async Task Append_IsRefusedWholeOnAFullDiskAndWorksAgainOnceThereIsRoom()
    {
        await using var disk = await SmallDisk.MountAsync();
        var filler = Path.Combine(disk.Path, "filler");
        await File.WriteAllBytesAsync(filler, new byte[2 << 20], Cancellation);
        await using var open = await new OpenStore(Path.Combine(disk.Path, "data")).OpenAsync();
        var kept = await FillAsync(open.Store.Journal);
        await AssertStandsAtAsync(open.Store.Journal, kept);

        File.Delete(filler);

        var again = await open.Store.Journal.AppendAsync(Job, kept, [Large(1), Large(2)], Cancellation);
        Assert.Equal(kept + 2, again[^1].Sequence);
        await AssertStandsAtAsync(open.Store.Journal, kept + 2);
    }

    [Fact]
    public async Task Append_RefusesTheStaleAndTheTooManyAlikeWhenTheirBatchWasNotKept()
    {
        await using var open = new OpenStore();
        await open.OpenAsync(maxPages: 200);
        var kept = await FillAsync(open.Store.Journal);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 30).Select(async number =>
        {
            var refused = await Assert.ThrowsAsync<DriverException>(
                () => open.Store.Journal.AppendAsync(Job, kept, [Large(number + 1), Large(number + 1)], Cancellation));
            return refused.Failure;
        }));

        Assert.All(outcomes, outcome => Assert.Equal(DriverFailure.Exhausted, outcome));
    }

    [Fact]
    public async Task Blob_FailsItsWriterWhenTheFileMayNotGrowAndGoesOnFromItsLength()
    {
        await using var open = new OpenStore();
        await open.OpenAsync(maxPages: 200);
        var blob = new BlobId("job/transcript");
        var writer = await open.Store.Blobs.AppendAsync(blob, Cancellation);
        var line = new byte[10_000];

        var refused = await Assert.ThrowsAsync<DriverException>(async () =>
        {
            while (true)
            {
                await writer.WriteAsync(line, Cancellation);
            }
        });

        Assert.Equal(DriverFailure.Exhausted, refused.Failure);
        await Assert.ThrowsAsync<DriverException>(() => writer.FlushAsync(Cancellation));
        await writer.DisposeAsync();
        await open.CloseAsync();
        await open.OpenAsync();
        var length = await open.Store.Blobs.LengthAsync(blob, Cancellation);
        await using var again = await open.Store.Blobs.AppendAsync(blob, Cancellation);
        await again.WriteAsync(line, Cancellation);
        await again.FlushAsync(Cancellation);
        Assert.Equal(length + line.Length, await open.Store.Blobs.LengthAsync(blob, Cancellation));
    }

    private static async Task<long> FillAsync(IJournal journal)
    {
        for (var kept = 0L; ; kept += 2)
        {
            try
            {
                await journal.AppendAsync(Job, kept, [Large(1), Large(2)], Cancellation);
            }
            catch (DriverException full)
            {
                Assert.Equal(DriverFailure.Exhausted, full.Failure);
                Assert.True(full.IsTransient);
                return kept;
            }
        }
    }

    private static async Task AssertStandsAtAsync(IJournal journal, long sequence)
    {
        Assert.True(sequence > 0, "nothing was kept before the disk was full");
        var entries = await journal.ReadAsync(Job, 0, Cancellation).ToListAsync(Cancellation);
        Assert.Equal(sequence, entries.Count);
        Assert.Equal(new ChainReport(1, sequence, null), await journal.VerifyAsync(null, Cancellation));
    }

    private static NewEntry Large(int number) => new("large", number, new byte[20_000]);

    /// <summary>A disk of 4 MiB.</summary>
    private sealed class SmallDisk : IAsyncDisposable
    {
        private SmallDisk(string path) => Path = path;

        public string Path { get; }

        public static async Task<SmallDisk> MountAsync()
        {
            var path = Directory.CreateTempSubdirectory("drella-disk-").FullName;
            if (await RunAsync("mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", path) != 0)
            {
                Directory.Delete(path);
                Assert.Skip("A small disk cannot be mounted here (needs root). The page limit stands in for it in the other tests of this class.");
            }

            return new SmallDisk(path);
        }

        public async ValueTask DisposeAsync()
        {
            Assert.Equal(0, await RunAsync("umount", Path));
            Directory.Delete(Path);
        }

        private static async Task<int> RunAsync(string program, params string[] arguments)
        {
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true });
            if (process is null)
            {
                return -1;
            }

            await process.WaitForExitAsync(Cancellation);
            return process.ExitCode;
        }
    }
}
