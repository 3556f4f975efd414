using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Testing.Contracts;

/// <summary>What every blob store does, whatever it is kept in.</summary>
public abstract class BlobStoreContract
{
    private static readonly BlobId Transcript = new("job-1/transcript/1-producer-1");

    /// <summary>An empty store, the same during one test.</summary>
    protected abstract IBlobStore Blobs { get; }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Read_IsEmptyWhenTheBlobIsAbsent()
    {
        Assert.Empty(await ReadAsync(Transcript, 0));
        Assert.Empty(await ReadAsync(Transcript, 7));
        Assert.Equal(0, await Blobs.LengthAsync(Transcript, Cancellation));
    }

    [Fact]
    public async Task Flush_MakesReadableWhatWasWrittenWhileTheBlobGrows()
    {
        await using var writer = await Blobs.AppendAsync(Transcript, Cancellation);
        for (var line = 1; line <= 20; line++)
        {
            await writer.WriteAsync("one line\n"u8.ToArray(), Cancellation);
            await writer.FlushAsync(Cancellation);

            Assert.Equal(line * 9, await Blobs.LengthAsync(Transcript, Cancellation));
            Assert.Equal(line * 9, (await ReadAsync(Transcript, 0)).Length);
        }

        await writer.FlushAsync(Cancellation);
        Assert.Equal(180, await Blobs.LengthAsync(Transcript, Cancellation));
    }

    [Fact]
    public async Task Dispose_FlushesAndTheNextWriterGoesOnAtTheEnd()
    {
        await using (var first = await Blobs.AppendAsync(Transcript, Cancellation))
        {
            await first.WriteAsync("first "u8.ToArray(), Cancellation);
        }

        await using (var second = await Blobs.AppendAsync(Transcript, Cancellation))
        {
            await second.WriteAsync("second"u8.ToArray(), Cancellation);
        }

        Assert.Equal("first second"u8.ToArray(), await ReadAsync(Transcript, 0));
    }

    [Fact]
    public async Task Append_IsRefusedWhileTheBlobHasAWriter()
    {
        await using (await Blobs.AppendAsync(Transcript, Cancellation))
        {
            var refused = await Assert.ThrowsAsync<DriverException>(() => Blobs.AppendAsync(Transcript, Cancellation));
            Assert.Equal(DriverFailure.Conflict, refused.Failure);
        }

        await using var again = await Blobs.AppendAsync(Transcript, Cancellation);
    }

    [Fact]
    public async Task Append_RefusesANameThatIsNone()
    {
        foreach (var name in new[] { "", "a\nb" })
        {
            var refused = await Assert.ThrowsAsync<DriverException>(() => Blobs.AppendAsync(new BlobId(name), Cancellation));
            Assert.Equal(DriverFailure.Invalid, refused.Failure);
        }
    }

    [Fact]
    public async Task Write_IsRefusedWhenTheWriterWasDisposed()
    {
        var writer = await Blobs.AppendAsync(Transcript, Cancellation);
        await writer.DisposeAsync();
        await writer.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(async () => await writer.WriteAsync("x"u8.ToArray(), Cancellation));
        await Assert.ThrowsAsync<ObjectDisposedException>(() => writer.FlushAsync(Cancellation));
    }

    [Fact]
    public async Task Write_TakesTheBytesSoThatTheCallersBufferMayChange()
    {
        var buffer = "kept"u8.ToArray();
        await using (var writer = await Blobs.AppendAsync(Transcript, Cancellation))
        {
            await writer.WriteAsync(buffer, Cancellation);
            buffer.AsSpan().Clear();
        }

        Assert.Equal("kept"u8.ToArray(), await ReadAsync(Transcript, 0));
    }

    [Fact]
    public async Task Read_GivesEverySuffixWhenBytesCameInPiecesOfAnySize()
    {
        const int seed = 4711;
        var random = new Random(seed);
        var expected = new byte[3_000_000];
        random.NextBytes(expected);
        await using (var writer = await Blobs.AppendAsync(Transcript, Cancellation))
        {
            for (var start = 0; start < expected.Length;)
            {
                var size = random.Next(4) switch { 0 => 0, 1 => random.Next(1, 100), 2 => random.Next(1, 70_000), _ => random.Next(1, 400_000) };
                size = Math.Min(size, expected.Length - start);
                await writer.WriteAsync(expected.AsMemory(start, size), Cancellation);
                start += size;
                if (random.Next(5) == 0)
                {
                    await writer.FlushAsync(Cancellation);
                    Assert.Equal(start, await Blobs.LengthAsync(Transcript, Cancellation));
                }
            }
        }

        foreach (var offset in Enumerable.Range(0, 15).Select(_ => random.Next(expected.Length)).Concat([0, expected.Length - 1, expected.Length, expected.Length + 9]))
        {
            var read = await ReadAsync(Transcript, offset);
            Assert.True(expected.AsSpan(Math.Min(offset, expected.Length)).SequenceEqual(read), $"seed {seed}, offset {offset}");
        }
    }

    [Fact]
    public async Task Blobs_StayApartWhenManyGrowAtOnce()
    {
        await Task.WhenAll(Enumerable.Range(0, 12).Select(number => Task.Run(async () =>
        {
            await using var writer = await Blobs.AppendAsync(new BlobId($"blob/{number}"), Cancellation);
            for (var line = 0; line < 200; line++)
            {
                await writer.WriteAsync(new[] { (byte)number, (byte)line }, Cancellation);
            }
        })));

        foreach (var number in Enumerable.Range(0, 12))
        {
            var expected = Enumerable.Range(0, 200).SelectMany(line => new[] { (byte)number, (byte)line });
            Assert.Equal(expected, await ReadAsync(new BlobId($"blob/{number}"), 0));
        }
    }

    [Fact]
    public async Task Write_LosesNoLineWhenManySmallOnesComeWithoutAFlush()
    {
        const int lines = 100_000;
        await Task.WhenAll(Enumerable.Range(0, 3).Select(number => Task.Run(async () =>
        {
            await using var writer = await Blobs.AppendAsync(new BlobId($"blob/{number}"), Cancellation);
            for (var line = 0; line < lines; line++)
            {
                await writer.WriteAsync(BitConverter.GetBytes(line), Cancellation);
            }
        })));

        foreach (var number in Enumerable.Range(0, 3))
        {
            var read = await ReadAsync(new BlobId($"blob/{number}"), 0);
            Assert.Equal(lines * sizeof(int), read.Length);
            Assert.Equal(Enumerable.Range(0, lines), Enumerable.Range(0, lines).Select(line => BitConverter.ToInt32(read, line * sizeof(int))));
        }
    }

    /// <summary>Reads a blob to its durable end.</summary>
    protected async Task<byte[]> ReadAsync(BlobId blob, long offset)
    {
        using var bytes = new MemoryStream();
        await foreach (var part in Blobs.ReadAsync(blob, offset, Cancellation))
        {
            Assert.False(part.IsEmpty);
            bytes.Write(part.Span);
        }

        return bytes.ToArray();
    }
}
