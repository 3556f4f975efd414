using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Drivers.Tests.Journals;

public sealed class JournalDamageTests
{
    private static readonly StreamId Job = new("job/a");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    // Stream 1 is 'intake' with 3 entries, stream 2 is 'job/a' with 10.
    [Theory]
    [InlineData("UPDATE entries SET payload = x'7b7e' WHERE stream = 2 AND seq = 4", "job/a", 4, false)]
    [InlineData("UPDATE entries SET hash = zeroblob(32) WHERE stream = 2 AND seq = 4", "job/a", 4, false)]
    [InlineData("UPDATE entries SET hash = x'00' WHERE stream = 2 AND seq = 4", "job/a", 4, false)]
    [InlineData("UPDATE entries SET kind = 'other' WHERE stream = 2 AND seq = 1", "job/a", 1, false)]
    [InlineData("UPDATE entries SET version = 9999999999 WHERE stream = 2 AND seq = 2", "job/a", 2, false)]
    [InlineData("UPDATE entries SET at = at + 1 WHERE stream = 2 AND seq = 9", "job/a", 9, false)]
    [InlineData("UPDATE entries SET at = 9223372036854775807 WHERE stream = 2 AND seq = 9", "job/a", 9, false)]
    [InlineData("DELETE FROM entries WHERE stream = 2 AND seq = 1", "job/a", 1, false)]
    [InlineData("DELETE FROM entries WHERE stream = 2 AND seq = 6", "job/a", 6, false)]
    [InlineData("DELETE FROM entries WHERE stream = 2 AND seq > 7", "job/a", 8, true)]
    [InlineData("DELETE FROM entries WHERE stream = 2", "job/a", 1, true)]
    [InlineData("UPDATE streams SET last_seq = 9 WHERE id = 2", "job/a", 10, true)]
    [InlineData("UPDATE streams SET last_hash = zeroblob(32) WHERE id = 2", "job/a", 10, true)]
    [InlineData("UPDATE streams SET name = 'job/b' WHERE id = 2", "job/b", 1, false)]
    [InlineData("INSERT INTO entries SELECT 2 << 32 | 11, at, kind, version, payload, hash FROM entries WHERE stream = 2 AND seq = 10", "job/a", 11, true)]
    [InlineData("INSERT INTO entries SELECT 2 << 32 | 0, at, kind, version, payload, hash FROM entries WHERE stream = 2 AND seq = 10", "job/a", 0, false)]
    [InlineData("DELETE FROM streams WHERE id = 2", "#2", 1, true)]
    [InlineData("DELETE FROM streams WHERE id = 2; DELETE FROM entries WHERE stream = 2", "#2", 0, true)]
    [InlineData("UPDATE entries SET payload = x'7b7d' WHERE stream = 1 AND seq = 3", "intake", 3, false)]
    public async Task Damage_IsNamedByVerifyAndASeveredEndIsFoundAtStart(string sql, string stream, long sequence, bool isFoundAtStart)
    {
        await using var open = await WrittenAsync();
        OpenStore.Tamper(open.JournalFile, sql);

        var report = await open.Store.Journal.VerifyAsync(null, Cancellation);

        Assert.NotNull(report.FirstBad);
        Assert.Equal((stream, sequence), (report.FirstBad.Stream.Value, report.FirstBad.Sequence));
        await open.CloseAsync();
        if (isFoundAtStart)
        {
            var refused = await Assert.ThrowsAsync<DriverException>(() => open.OpenAsync());
            Assert.Equal(DriverFailure.Invalid, refused.Failure);
            Assert.False(refused.IsTransient);
            Assert.Contains("drella backup", refused.Message, StringComparison.Ordinal);
            Assert.Contains("journal.db", refused.Message, StringComparison.Ordinal);
        }
        else
        {
            await open.OpenAsync();
        }
    }

    [Fact]
    public async Task Damage_OfOneStreamLeavesTheReportOnAnotherClean()
    {
        await using var open = await WrittenAsync();
        OpenStore.Tamper(open.JournalFile, "UPDATE entries SET payload = x'7b7e' WHERE stream = 2 AND seq = 4");

        Assert.Equal(new ChainReport(1, 3, null), await open.Store.Journal.VerifyAsync(StreamId.Intake, Cancellation));
        Assert.Equal(4, (await open.Store.Journal.VerifyAsync(Job, Cancellation)).FirstBad?.Sequence);
    }

    [Fact]
    public async Task Read_RefusesToGoOverAHole()
    {
        await using var open = await WrittenAsync();
        OpenStore.Tamper(open.JournalFile, "DELETE FROM entries WHERE stream = 2 AND seq = 6");
        var seen = new List<long>();

        var refused = await Assert.ThrowsAsync<DriverException>(async () =>
        {
            await foreach (var entry in open.Store.Journal.ReadAsync(Job, 0, Cancellation))
            {
                seen.Add(entry.Sequence);
            }
        });

        Assert.Contains("job/a: entry 6 is missing", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(7L, seen);
    }

    [Fact]
    public async Task Start_RefusesAFileWithPagesOverwritten()
    {
        await using var open = await WrittenAsync();
        for (var round = 0; round < 50; round++)
        {
            await open.Store.Journal.AppendAsync(Job, null, [new NewEntry("large", 1, new byte[5000])], Cancellation);
        }

        await open.CloseAsync();
        var bytes = await File.ReadAllBytesAsync(open.JournalFile, Cancellation);
        new Random(7).NextBytes(bytes.AsSpan(4096 * 2, 4096 * 6));
        await File.WriteAllBytesAsync(open.JournalFile, bytes, Cancellation);

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.OpenAsync());

        Assert.Contains("damaged", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Start_RefusesABlobWhoseEndIsGone()
    {
        await using var open = await OpenStore.NewAsync();
        await using (var writer = await open.Store.Blobs.AppendAsync(new BlobId("job/t"), Cancellation))
        {
            await writer.WriteAsync(new byte[200_000], Cancellation);
        }

        await open.CloseAsync();
        OpenStore.Tamper(open.BlobFile, "DELETE FROM chunks WHERE id = (SELECT max(id) FROM chunks)");

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.OpenAsync());

        Assert.Contains("the end of blob job/t", refused.Message, StringComparison.Ordinal);
    }

    private static async Task<OpenStore> WrittenAsync()
    {
        var open = await OpenStore.NewAsync();
        foreach (var (stream, count) in new[] { (StreamId.Intake, 3), (Job, 10) })
        {
            for (var number = 1; number <= count; number++)
            {
                await open.Store.Journal.AppendAsync(stream, number - 1, [new NewEntry("k", number, "{\"a\":1}"u8.ToArray())], Cancellation);
            }
        }

        return open;
    }
}
