using System.Globalization;
using Drella.Core;
using Drella.Core.Journal;
using Drella.Drivers.Journals.Sqlite;

namespace Drella.Drivers.Tests.Journals;

public sealed class JournalKillTests
{
    private const int Patience = 240_000;

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact(Timeout = Patience)]
    public async Task Kill_LosesNothingThatWasAcknowledgedAtAnyMoment()
    {
        await using var open = new OpenStore();
        var acknowledged = new Dictionary<(string Stream, long Sequence), string>();
        var blobLength = 0L;
        foreach (var lines in new[] { 0, 1, 2, 19, 41, 42, 77, 160, 333, 700 })
        {
            using (var writer = await WriterProcess.StartAsync(open.Path, Cancellation))
            {
                var said = new List<string>();
                while (said.Count < lines)
                {
                    said.Add(await writer.Output.ReadLineAsync(Cancellation) ?? throw new InvalidOperationException("The writer ended by itself."));
                }

                said.AddRange(await writer.KillAsync(Cancellation));
                foreach (var parts in said.Select(line => line.Split(' ')))
                {
                    var number = long.Parse(parts[1], CultureInfo.InvariantCulture);
                    if (parts[0] == "blob")
                    {
                        blobLength = number;
                    }
                    else
                    {
                        acknowledged.Add((parts[0], number), parts[2]);
                    }
                }
            }

            await open.OpenAsync();
            await AssertKeptAsync(open.Store, acknowledged, blobLength);
            await open.CloseAsync();
        }

        Assert.True(acknowledged.Count > 1000, $"only {acknowledged.Count} entries were acknowledged: the test shows little");
    }

    [Fact(Timeout = Patience)]
    public async Task Folder_SaysWhichProcessHoldsItAndIsFreeWhenThatWasKilled()
    {
        await using var open = new OpenStore();
        using var writer = await WriterProcess.StartAsync(open.Path, Cancellation);

        var refused = Assert.Throws<DriverException>(() => DataFolder.Open(open.Path, TimeProvider.System));

        Assert.Equal(DriverFailure.Conflict, refused.Failure);
        Assert.Contains($"process {writer.Id} (Drella.Drivers.Tests), since ", refused.Message, StringComparison.Ordinal);
        await writer.KillAsync(Cancellation);
        DataFolder.Open(open.Path, TimeProvider.System).Dispose();
    }

    [Fact(Timeout = Patience)]
    public async Task ReadOnly_ReadsAndVerifiesWhileAnotherProcessWrites()
    {
        await using var open = new OpenStore();
        using var writer = await WriterProcess.StartAsync(open.Path, Cancellation);
        var first = (await writer.Output.ReadLineAsync(Cancellation))?.Split(' ') ?? [];

        await using var reader = await SqliteJournalStore.OpenReadOnlyAsync(
            open.Path, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<SqliteJournalStore>.Instance, Cancellation);

        var entries = await reader.Journal.ReadAsync(new StreamId(first[0]), 0, Cancellation).ToListAsync(Cancellation);
        Assert.Equal(first[2], Convert.ToHexString(entries[0].Hash.Span));
        Assert.Null((await reader.Journal.VerifyAsync(null, Cancellation)).FirstBad);
        await Assert.ThrowsAsync<InvalidOperationException>(
            () => reader.Journal.AppendAsync(StreamId.Intake, null, [new NewEntry("k", 1, "{}"u8.ToArray())], Cancellation));
    }

    private static async Task AssertKeptAsync(
        SqliteJournalStore store, Dictionary<(string Stream, long Sequence), string> acknowledged, long blobLength)
    {
        var report = await store.Journal.VerifyAsync(null, Cancellation);
        Assert.Null(report.FirstBad);
        var kept = await store.Journal.ReadAllAsync("", Cancellation)
            .ToDictionaryAsync(entry => (entry.Stream.Value, entry.Sequence), entry => Convert.ToHexString(entry.Hash.Span), null, Cancellation);
        Assert.Equal(report.Entries, kept.Count);
        foreach (var (place, hash) in acknowledged)
        {
            Assert.True(kept.TryGetValue(place, out var found) && found == hash, $"{place} was acknowledged and is not there");
        }

        // Two entries an append: half of one would show as an odd number.
        Assert.All(kept.Keys.GroupBy(place => place.Value), stream => Assert.Equal(0, stream.Count() % 2));

        var length = await store.Blobs.LengthAsync(WriterProcess.Blob, Cancellation);
        Assert.True(length >= blobLength, $"{blobLength} bytes were flushed, {length} are there");
        var offset = 0L;
        await foreach (var part in store.Blobs.ReadAsync(WriterProcess.Blob, 0, Cancellation))
        {
            foreach (var value in part.ToArray())
            {
                if (value != WriterProcess.ByteAt(offset++))
                {
                    Assert.Fail($"the blob's byte {offset - 1} is another one");
                }
            }
        }

        Assert.Equal(length, offset);
    }
}
