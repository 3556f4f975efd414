using System.Text;
using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Testing.Contracts;

/// <summary>What every journal does, whatever it is kept in.</summary>
public abstract class JournalContract
{
    private const int Patience = 120_000;
    private const int MostPayload = 1 << 20;

    private static readonly StreamId Job = new("job/a");

    /// <summary>An empty journal, the same during one test.</summary>
    protected abstract IJournal Journal { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Append_GivesPlacesFromOneAndLinksEachEntryToTheOneBefore()
    {
        var first = await Journal.AppendAsync(Job, null, [Entry(1), Entry(2)], Cancellation);
        var second = await Journal.AppendAsync(Job, 2, [Entry(3)], Cancellation);

        Entry[] all = [.. first, .. second];
        Assert.Equal([1L, 2L, 3L], all.Select(entry => entry.Sequence));
        Assert.Equal(HashChain.Genesis.ToArray(), all[0].PreviousHash.ToArray());
        var previous = HashChain.Genesis;
        foreach (var entry in all)
        {
            Assert.True(HashChain.Holds(entry, previous.Span));
            Assert.Equal(0, entry.At.Ticks % TimeSpan.TicksPerMillisecond);
            Assert.Equal(TimeSpan.Zero, entry.At.Offset);
            previous = entry.Hash;
        }

        AssertSame(all, await ReadAsync(Job, 0));
    }

    [Theory]
    [InlineData(0L)]
    [InlineData(1L)]
    [InlineData(3L)]
    public async Task Append_IsRefusedAndKeepsNothingWhenAfterIsNotTheLast(long after)
    {
        await Journal.AppendAsync(Job, 0, [Entry(1), Entry(2)], Cancellation);

        var refused = await Assert.ThrowsAsync<DriverException>(() => Journal.AppendAsync(Job, after, [Entry(3)], Cancellation));

        Assert.Equal(DriverFailure.Conflict, refused.Failure);
        Assert.False(refused.IsTransient);
        Assert.Equal(2, (await ReadAsync(Job, 0)).Count);
        Assert.Equal(3, (await Journal.AppendAsync(Job, 2, [Entry(3)], Cancellation))[0].Sequence);
    }

    [Fact]
    public async Task Append_LetsExactlyOneWinWhenManyHaveSeenTheSame()
    {
        await Journal.AppendAsync(Job, 0, [Entry(1)], Cancellation);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 20).Select(number => Task.Run(async () =>
        {
            try
            {
                await Journal.AppendAsync(Job, 1, [Entry(number)], Cancellation);
                return DriverFailure.Unavailable;
            }
            catch (DriverException refused)
            {
                return refused.Failure;
            }
        })));

        Assert.Single(outcomes, DriverFailure.Unavailable);
        Assert.Equal(19, outcomes.Count(outcome => outcome == DriverFailure.Conflict));
        Assert.Equal(2, (await ReadAsync(Job, 0)).Count);
    }

    [Fact]
    public async Task Append_KeepsNothingOfABatchWhenOneOfItIsTooLarge()
    {
        var refused = await Assert.ThrowsAsync<DriverException>(
            () => Journal.AppendAsync(Job, null, [Entry(1), new NewEntry("large", 1, new byte[MostPayload + 1])], Cancellation));

        Assert.Equal(DriverFailure.Invalid, refused.Failure);
        Assert.Empty(await ReadAsync(Job, 0));
        Assert.Equal(0, (await Journal.VerifyAsync(null, Cancellation)).Streams);
    }

    [Fact]
    public async Task Append_TakesAPayloadOfExactlyTheCap()
    {
        var payload = new byte[MostPayload];
        new Random(1).NextBytes(payload);

        await Journal.AppendAsync(Job, null, [new NewEntry("large", 1, payload)], Cancellation);

        Assert.Equal(payload, (await ReadAsync(Job, 0))[0].Payload.ToArray());
    }

    [Fact]
    public async Task Append_RefusesWhatIsNotAnEntry()
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(() => Journal.AppendAsync(Job, null, [], Cancellation));
        foreach (var bad in new NewEntry[] { new("", 1, "{}"u8.ToArray()), new("k", 0, "{}"u8.ToArray()), new("k", 1, default) })
        {
            var refused = await Assert.ThrowsAsync<DriverException>(() => Journal.AppendAsync(Job, null, [bad], Cancellation));
            Assert.Equal(DriverFailure.Invalid, refused.Failure);
        }

        var nameless = await Assert.ThrowsAsync<DriverException>(() => Journal.AppendAsync(new StreamId(""), null, [Entry(1)], Cancellation));
        Assert.Equal(DriverFailure.Invalid, nameless.Failure);
    }

    [Fact]
    public async Task Append_KeepsBytesAsTheyWereWhenTheCallersBufferChanges()
    {
        var buffer = "{\"a\":1}"u8.ToArray();
        await Journal.AppendAsync(Job, null, [new NewEntry("k", 7, buffer)], Cancellation);
        buffer.AsSpan().Fill((byte)'x');

        var kept = Assert.Single(await ReadAsync(Job, 0));

        Assert.Equal("{\"a\":1}", Encoding.UTF8.GetString(kept.Payload.Span));
        Assert.Equal(("k", 7), (kept.Kind, kept.Version));
        Assert.Null((await Journal.VerifyAsync(Job, Cancellation)).FirstBad);
    }

    [Fact]
    public async Task Append_GivesUpBeforeItBeginsWhenCancelled()
    {
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Journal.AppendAsync(Job, null, [Entry(1)], new CancellationToken(true)));

        Assert.Equal(1, (await Journal.AppendAsync(Job, null, [Entry(2)], Cancellation))[0].Sequence);
    }

    [Fact]
    public async Task Append_TellsStreamsApartByEveryCharacter()
    {
        string[] names = ["job/a", "job/A", "job/a ", "job/ä", "job/a%", "job/a_", "intake"];
        foreach (var name in names)
        {
            await Journal.AppendAsync(new StreamId(name), 0, [Entry(1)], Cancellation);
        }

        foreach (var name in names)
        {
            Assert.Equal(name, Assert.Single(await ReadAsync(new StreamId(name), 0)).Stream.Value);
        }
    }

    [Fact]
    public async Task Append_KeepsEachWritersOrderWhenFiftyWriteAtOnce()
    {
        const int writers = 50, each = 40;
        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; number < each; number++)
            {
                await Journal.AppendAsync(Job, null, [new NewEntry($"w{writer}", number + 1, "{}"u8.ToArray())], Cancellation);
            }
        })));

        var all = await ReadAsync(Job, 0);

        Assert.Equal(Enumerable.Range(1, writers * each).Select(number => (long)number), all.Select(entry => entry.Sequence));
        Assert.All(all.GroupBy(entry => entry.Kind), own => Assert.Equal(Enumerable.Range(1, each), own.Select(entry => entry.Version)));
        Assert.Equal(new ChainReport(1, writers * each, null), await Journal.VerifyAsync(Job, Cancellation));
    }

    [Fact]
    public async Task Read_GivesEverySuffixOfEveryStreamWhenStreamsGrowAtRandom()
    {
        const int seed = 20_260;
        var random = new Random(seed);
        var model = new Dictionary<StreamId, List<Entry>>();
        for (var round = 0; round < 200; round++)
        {
            var stream = new StreamId($"job/{random.Next(7)}");
            var known = model.TryGetValue(stream, out var kept) ? kept : model[stream] = [];
            var batch = Enumerable.Range(0, random.Next(1, 9)).Select(_ => Random(random)).ToList();
            known.AddRange(await Journal.AppendAsync(stream, random.Next(2) == 0 ? null : known.Count, batch, Cancellation));
        }

        foreach (var (stream, known) in model)
        {
            for (var probe = 0; probe < 10; probe++)
            {
                var after = random.Next(known.Count + 3);
                AssertSame([.. known.Skip(after)], await ReadAsync(stream, after), $"seed {seed}, {stream} after {after}");
            }
        }

        Assert.Equal(new ChainReport(model.Count, model.Values.Sum(known => known.Count), null), await Journal.VerifyAsync(null, Cancellation));
    }

    [Fact]
    public async Task Read_IsEmptyWhenThereIsNoSuchStreamOrNothingBehind()
    {
        await Journal.AppendAsync(Job, null, [Entry(1)], Cancellation);

        Assert.Empty(await ReadAsync(new StreamId("job/none"), 0));
        Assert.Empty(await ReadAsync(Job, 1));
        Assert.Empty(await ReadAsync(Job, 99));
    }

    [Fact]
    public async Task ReadAll_GivesStreamsWholeAndOnlyThoseOfThePrefix()
    {
        foreach (var number in Enumerable.Range(0, 1500))
        {
            await Journal.AppendAsync(new StreamId($"job/{number % 3}"), null, [Entry(number), Entry(number)], Cancellation);
        }

        await Journal.AppendAsync(new StreamId("jobs"), null, [Entry(1)], Cancellation);
        await Journal.AppendAsync(new StreamId("job"), null, [Entry(1)], Cancellation);
        await Journal.AppendAsync(StreamId.Intake, null, [Entry(1)], Cancellation);

        var jobs = await Journal.ReadAllAsync("job/", Cancellation).ToListAsync(Cancellation);
        var all = await Journal.ReadAllAsync("", Cancellation).ToListAsync(Cancellation);

        Assert.Equal(3000, jobs.Count);
        Assert.Equal(3003, all.Count);
        Assert.Equal(3, jobs.Zip(jobs.Skip(1)).Count(pair => pair.First.Stream != pair.Second.Stream) + 1);
        foreach (var stream in all.GroupBy(entry => entry.Stream))
        {
            AssertSame(await ReadAsync(stream.Key, 0), [.. stream]);
        }

        Assert.Empty(await Journal.ReadAllAsync("job/%", Cancellation).ToListAsync(Cancellation));
    }

    [Fact(Timeout = Patience)]
    public async Task Follow_GivesEachEntryOnceWhileManyAppend()
    {
        const int writers = 8, each = 60, total = writers * each;
        await Journal.AppendAsync(Job, null, [Entry(0)], Cancellation);
        var followers = Enumerable.Range(0, 4).Select(_ => Task.Run(() => FollowAsync(Job, 0, total + 1))).ToList();

        await Task.WhenAll(Enumerable.Range(0, writers).Select(writer => Task.Run(async () =>
        {
            for (var number = 0; number < each; number++)
            {
                await Journal.AppendAsync(number % 5 == 0 ? new StreamId("job/other") : Job, null, [Entry(number)], Cancellation);
                if (number % 5 == 0)
                {
                    await Journal.AppendAsync(Job, null, [Entry(number)], Cancellation);
                }
            }
        })));

        var expected = await ReadAsync(Job, 0);
        Assert.Equal(total + 1, expected.Count);
        foreach (var seen in await Task.WhenAll(followers))
        {
            AssertSame(expected, seen);
        }
    }

    [Fact(Timeout = Patience)]
    public async Task Follow_WaitsForAStreamThatDoesNotExistYet()
    {
        await using var following = Journal.FollowAsync(Job, 0, Cancellation).GetAsyncEnumerator(Cancellation);
        var next = following.MoveNextAsync().AsTask();
        Assert.False(next.IsCompleted);

        await Journal.AppendAsync(Job, null, [Entry(1)], Cancellation);

        Assert.True(await next);
        Assert.Equal(1, following.Current.Sequence);
    }

    [Fact(Timeout = Patience)]
    public async Task Follow_StartsBehindAfter()
    {
        await Journal.AppendAsync(Job, null, [Entry(1), Entry(2), Entry(3)], Cancellation);

        var seen = await FollowAsync(Job, 2, 1);

        Assert.Equal(3, Assert.Single(seen).Sequence);
    }

    [Fact(Timeout = Patience)]
    public async Task Follow_EndsWhenCancelled()
    {
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        await using var following = Journal.FollowAsync(Job, 0, stop.Token).GetAsyncEnumerator(stop.Token);
        var next = following.MoveNextAsync().AsTask();

        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => next);
    }

    [Fact]
    public async Task Verify_CountsNothingWhenThereIsNoSuchStream() =>
        Assert.Equal(new ChainReport(0, 0, null), await Journal.VerifyAsync(new StreamId("job/none"), Cancellation));

    /// <summary>An entry with a payload of its own.</summary>
    protected static NewEntry Entry(int number) => new("test.happened", 1, Encoding.UTF8.GetBytes($$"""{"number":{{number}}}"""));

    /// <summary>Reads a stream to its end.</summary>
    protected async Task<List<Entry>> ReadAsync(StreamId stream, long after) =>
        await Journal.ReadAsync(stream, after, Cancellation).ToListAsync(Cancellation);

    /// <summary>Entries compare by content: memory compares by place.</summary>
    protected static void AssertSame(IReadOnlyList<Entry> expected, IReadOnlyList<Entry> actual, string? where = null)
    {
        Assert.True(expected.Count == actual.Count, $"{expected.Count} entries expected, {actual.Count} found; {where}");
        foreach (var (left, right) in expected.Zip(actual))
        {
            Assert.Equal((left.Stream, left.Sequence, left.At, left.Kind, left.Version), (right.Stream, right.Sequence, right.At, right.Kind, right.Version));
            Assert.True(
                left.Payload.Span.SequenceEqual(right.Payload.Span)
                && left.PreviousHash.Span.SequenceEqual(right.PreviousHash.Span)
                && left.Hash.Span.SequenceEqual(right.Hash.Span),
                $"{left.Stream} {left.Sequence} differs; {where}");
        }
    }

    private static NewEntry Random(Random random)
    {
        var payload = new byte[random.Next(1, 3000)];
        random.NextBytes(payload);
        return new NewEntry($"kind.{random.Next(5)}", random.Next(1, 4), payload);
    }

    private async Task<List<Entry>> FollowAsync(StreamId stream, long after, int count) =>
        await Journal.FollowAsync(stream, after, Cancellation).Take(count).ToListAsync(Cancellation);
}
