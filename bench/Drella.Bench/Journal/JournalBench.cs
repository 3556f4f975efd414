using System.Diagnostics;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;

namespace Drella.Bench.Journal;

/// <summary>What the journal reaches on this machine's disk.</summary>
internal static class JournalBench
{
    /// <summary>Appends a second, each acknowledged when durable, from fifty writers that each wait for their own.</summary>
    public static async Task<IReadOnlyList<BenchRow>> DurableAppendsAsync(BenchRun run, CancellationToken cancellationToken)
    {
        const int writers = 50;
        var each = run.Size(1000, 5);
        await using var store = await BenchStore.OpenAsync(Path.Combine(run.Folder, "appends"), cancellationToken);
        await WriteAsync(store.Journal, "warm", each / 10, [], cancellationToken);
        var rates = new List<double>();
        var waits = new List<double>();
        for (var turn = 0; turn < run.Size(5, 1); turn++)
        {
            var watch = Stopwatch.StartNew();
            await WriteAsync(store.Journal, $"turn-{turn}", each, waits, cancellationToken);
            rates.Add(writers * each / watch.Elapsed.TotalSeconds);
        }

        return
        [
            BenchRow.Of("durable appends, 50 writers", rates, "entries/s", 5000, higherIsBetter: true),
            BenchRow.Of("one append, until it is durable", waits, "ms"),
        ];

        static Task WriteAsync(IJournal journal, string name, int each, List<double> waits, CancellationToken cancellationToken) =>
            Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(
                async () =>
                {
                    var stream = new StreamId($"{name}/{writer}");
                    var payload = Encoding.UTF8.GetBytes("""{"step":"Work","try":1,"note":"as long as entries usually are, give or take a few letters"}""");
                    var own = new List<double>(each);
                    for (var number = 0; number < each; number++)
                    {
                        var asked = Stopwatch.GetTimestamp();
                        await journal.AppendAsync(stream, number, [new NewEntry("step.started", 1, payload)], cancellationToken);
                        own.Add(Stopwatch.GetElapsedTime(asked).TotalMilliseconds);
                    }

                    lock (waits)
                    {
                        waits.AddRange(own);
                    }
                },
                cancellationToken)));
    }

    /// <summary>Entries a second when a history of 10,000 jobs is read and folded, as at the daemon's start.</summary>
    public static async Task<IReadOnlyList<BenchRow>> ReplayAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var path = Path.Combine(run.Folder, "replay");
        long entries;
        await using (var store = await BenchStore.OpenAsync(path, cancellationToken))
        {
            run.Talk("writing the history");
            entries = await History.WriteAsync(store.Journal, run.Size(10_000, 20), isAllMerged: true, cancellationToken);
        }

        var opened = Stopwatch.StartNew();
        await using var again = await BenchStore.OpenAsync(path, cancellationToken);
        var start = opened.Elapsed.TotalSeconds;
        var (read, folded) = (new List<double>(), new List<double>());

        // The first turn warms up code and page cache.
        var warmUps = run.Size(1, 0);
        for (var turn = 0; turn < run.Size(5, 1) + warmUps; turn++)
        {
            var readRate = await RateAsync(entries, () => ReadAsync(again.Journal, entries, cancellationToken));
            var foldRate = await RateAsync(entries, () => FoldAsync(again.Journal, cancellationToken));
            if (turn >= warmUps)
            {
                read.Add(readRate);
                folded.Add(foldRate);
            }
        }

        var verified = await RateAsync(entries, () => again.Journal.VerifyAsync(null, cancellationToken));
        return
        [
            BenchRow.Of($"replay of {entries:N0} entries", read, "entries/s", 500_000, higherIsBetter: true),
            BenchRow.Of("the same, decoded and folded into jobs", folded, "entries/s", 500_000, higherIsBetter: true),
            new BenchRow("the store's opening, its checks included", start, "s"),
            new BenchRow("the hash chain, verified", verified, "entries/s"),
        ];
    }

    private static async Task<double> RateAsync(long entries, Func<Task> work)
    {
        GC.Collect();
        var watch = Stopwatch.StartNew();
        await work();
        return entries / watch.Elapsed.TotalSeconds;
    }

    private static async Task ReadAsync(IJournal journal, long expected, CancellationToken cancellationToken)
    {
        var count = 0L;
        await foreach (var entry in journal.ReadAllAsync("", cancellationToken))
        {
            count += entry.Payload.IsEmpty ? 0 : 1;
        }

        if (count != expected)
        {
            throw new InvalidOperationException($"{count} entries were read instead of {expected}");
        }
    }

    private static async Task FoldAsync(IJournal journal, CancellationToken cancellationToken)
    {
        using var shelf = new JobShelf(journal, TimeProvider.System);
        await shelf.LoadAsync(cancellationToken);
        if (shelf.All.Any(live => live.Job.Conclusion != JobConclusion.Merged))
        {
            throw new InvalidOperationException("the history did not fold into merged jobs");
        }
    }
}
