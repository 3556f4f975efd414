using System.Diagnostics;
using System.Text;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Journal;

/// <summary>What the journal reaches on this machine's disk. Each method works in a new folder below the one given and removes it.</summary>
public static class JournalBench
{
    private const double MebiByte = 1 << 20;

    /// <summary>Appends a second, each acknowledged when durable, from fifty writers that each wait for their own.</summary>
    public static async Task<BenchRow> DurableAppendsAsync(string folder, CancellationToken cancellationToken)
    {
        const int writers = 50, each = 1000;
        return await InStoreAsync(folder, "appends", async store =>
        {
            var payload = Payload(0);
            var watch = Stopwatch.StartNew();
            await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(
                async () =>
                {
                    var stream = new StreamId($"job/{writer}");
                    for (var number = 0; number < each; number++)
                    {
                        await store.Journal.AppendAsync(stream, number, [new NewEntry("step.started", 1, payload)], cancellationToken);
                    }
                },
                cancellationToken)));
            return new BenchRow("journal: durable appends, 50 writers", writers * each / watch.Elapsed.TotalSeconds, "entries/s", 5000, true);
        });
    }

    /// <summary>Entries a second when 1,000,000 entries of 10,000 streams are replayed, and the start of a store that holds them.</summary>
    public static async Task<IReadOnlyList<BenchRow>> ReplayAsync(string folder, CancellationToken cancellationToken)
    {
        const int streams = 10_000, each = 100;
        var path = Path.Combine(folder, "replay");
        using var held = DataFolder.Open(path, TimeProvider.System);
        try
        {
            var options = new SqliteJournalOptions { Folder = held };
            await using (var store = await OpenAsync(options, cancellationToken))
            {
                var entries = Enumerable.Range(0, each).Select(number => new NewEntry($"step.{number % 12}", 1, Payload(number))).ToList();
                await Parallel.ForAsync(0, streams, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (stream, token) =>
                    await store.Journal.AppendAsync(new StreamId($"job/{stream}"), 0, entries, token));
            }

            var watch = Stopwatch.StartNew();
            await using var again = await OpenAsync(options, cancellationToken);
            var start = new BenchRow("journal: start on 1,000,000 entries, checks included", watch.Elapsed.TotalSeconds, "s", 5, false);

            watch.Restart();
            var count = 0L;
            await foreach (var entry in again.Journal.ReadAllAsync("", cancellationToken))
            {
                count += entry.Payload.IsEmpty ? 0 : 1;
            }

            var replay = new BenchRow($"journal: replay of {count:N0} entries", count / watch.Elapsed.TotalSeconds, "entries/s", 500_000, true);

            watch.Restart();
            var report = await again.Journal.VerifyAsync(null, cancellationToken);
            return
            [
                start,
                replay,
                new BenchRow("journal: chain of 1,000,000 entries verified", report.Entries / watch.Elapsed.TotalSeconds, "entries/s", 100_000, true),
            ];
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    /// <summary>A transcript of 100 MB in lines, as fast as the disk takes them: how fast, and how much managed memory at its peak.</summary>
    public static async Task<IReadOnlyList<BenchRow>> TranscriptAsync(string folder, CancellationToken cancellationToken)
    {
        const int lines = 500_000, size = 200;
        return await InStoreAsync<IReadOnlyList<BenchRow>>(folder, "transcript", async store =>
        {
            var line = Encoding.UTF8.GetBytes(new string('x', size - 1) + "\n");
            var blob = new BlobId("job-1/transcript/1-producer-1");
            var before = GC.GetTotalMemory(forceFullCollection: true);
            var peak = 0L;
            var watch = Stopwatch.StartNew();
            await using (var writer = await store.Blobs.AppendAsync(blob, cancellationToken))
            {
                for (var number = 1; number <= lines; number++)
                {
                    await writer.WriteAsync(line, cancellationToken);
                    if (number % 1000 == 0)
                    {
                        peak = Math.Max(peak, GC.GetTotalMemory(forceFullCollection: false) - before);
                    }
                }
            }

            var written = lines * size / MebiByte / watch.Elapsed.TotalSeconds;
            watch.Restart();
            var read = 0L;
            await foreach (var part in store.Blobs.ReadAsync(blob, 0, cancellationToken))
            {
                read += part.Length;
            }

            return
            [
                new BenchRow("blobs: 100 MB transcript written in lines", written, "MiB/s", 20, true),
                new BenchRow("blobs: managed memory at its peak meanwhile", peak / MebiByte, "MiB", 32, false),
                new BenchRow("blobs: the transcript read back", read / MebiByte / watch.Elapsed.TotalSeconds, "MiB/s", 100, true),
            ];
        });
    }

    private static async Task<T> InStoreAsync<T>(string folder, string name, Func<SqliteJournalStore, Task<T>> work)
    {
        var path = Path.Combine(folder, name);
        using var held = DataFolder.Open(path, TimeProvider.System);
        try
        {
            await using var store = await OpenAsync(new SqliteJournalOptions { Folder = held }, CancellationToken.None);
            return await work(store);
        }
        finally
        {
            Directory.Delete(path, recursive: true);
        }
    }

    private static Task<SqliteJournalStore> OpenAsync(SqliteJournalOptions options, CancellationToken cancellationToken) =>
        SqliteJournalStore.OpenAsync(options, TimeProvider.System, NullLogger<SqliteJournalStore>.Instance, cancellationToken);

    private static byte[] Payload(int number) => Encoding.UTF8.GetBytes(
        $$"""{"step":"run-agent","attempt":1,"round":{{number}},"key":"job-3f2a/run-agent/{{number}}","note":"as long as entries usually are"}""");
}
