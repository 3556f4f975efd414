using Gjoll.Wire;

namespace Gjoll.Guest.Tests.Wire;

public sealed class FrameParserTests
{
    private readonly FrameParser _parser = new();

    [Fact]
    public void Parser_FindsFramesHoweverTheyAreCut()
    {
        byte[][] frames = [FrameWriter.Make(FrameKind.Ping, 7, [1, 2, 3]), FrameWriter.Make(FrameKind.Close, 8, []), FrameWriter.Make(FrameKind.Data, 9, new byte[WireLimits.MaxPayload], 2)];
        var all = frames.SelectMany(frame => frame).ToArray();
        foreach (var piece in (int[])[1, 2, 15, 16, 17, 1000, all.Length])
        {
            var found = new List<(FrameKind, byte, uint, int)>();
            for (var at = 0; at < all.Length; at += piece)
            {
                Feed(all.AsSpan(at, Math.Min(piece, all.Length - at)), found);
            }

            Assert.Equal([(FrameKind.Ping, 0, 7u, 3), (FrameKind.Close, 0, 8u, 0), (FrameKind.Data, 2, 9u, WireLimits.MaxPayload)], found);
        }
    }

    [Fact]
    public void Parser_SkipsWhatComesBeforeTheFirstFrame()
    {
        var found = new List<(FrameKind, byte, uint, int)>();
        var garbage = new byte[700_000];
        new Random(1).NextBytes(garbage);

        Feed(garbage, found);
        Feed("gjw1gjw1"u8, found);
        Feed(FrameWriter.Make(FrameKind.Ping, 1, [9]), found);

        Assert.Equal([(FrameKind.Ping, 0, 1u, 1)], found);
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(6, 1)]
    [InlineData(7, 1)]
    [InlineData(14, 4)]
    [InlineData(15, 0x80)]
    public void Parser_RefusesAWrongHeaderOnceItHasItsPlace(int at, byte change)
    {
        Feed(FrameWriter.Make(FrameKind.Ping, 1, []), []);
        var wrong = FrameWriter.Make(FrameKind.Ping, 1, [1]);
        wrong[at] ^= change;

        // A length of 4 * 65536 + 1 is one too many.
        Assert.Throws<WireException>(() => Feed(wrong, []));
    }

    [Fact]
    public void Reset_LooksForAPlaceAnew()
    {
        var found = new List<(FrameKind, byte, uint, int)>();
        Feed(FrameWriter.Make(FrameKind.Data, 1, new byte[100]).AsSpan(0, 60), found);

        _parser.Reset();
        Feed([1, 2, 3, .. FrameWriter.Make(FrameKind.Hello, 0, new byte[33])], found);

        Assert.Equal([(FrameKind.Hello, 0, 0u, 33)], found);
    }

    [Fact]
    public void Parser_TakesAnyBytesWithoutOtherExceptionsOrEnd()
    {
        for (var seed = 0; seed < 200; seed++)
        {
            var random = new Random(seed);
            var bytes = FrameWriter.Make(FrameKind.Data, 3, new byte[random.Next(100)]).Concat(FrameWriter.Make(FrameKind.Ack, 3, new byte[8])).ToArray();
            for (var flips = 0; flips < 3; flips++)
            {
                bytes[random.Next(bytes.Length)] ^= (byte)(1 << random.Next(8));
            }

            var parser = new FrameParser();
            try
            {
                foreach (var value in bytes)
                {
                    parser.Free().Span[0] = value;
                    parser.Advance(1);
                    while (parser.TryRead(out var frame))
                    {
                        Assert.InRange(frame.Payload.Length, 0, WireLimits.MaxPayload);
                    }
                }
            }
            catch (WireException)
            {
                // The one word for it.
            }
        }
    }

    private void Feed(ReadOnlySpan<byte> bytes, List<(FrameKind, byte, uint, int)> found)
    {
        while (!bytes.IsEmpty)
        {
            var free = _parser.Free().Span;
            var count = Math.Min(free.Length, bytes.Length);
            bytes[..count].CopyTo(free);
            _parser.Advance(count);
            bytes = bytes[count..];
            while (_parser.TryRead(out var frame))
            {
                found.Add((frame.Kind, frame.Stream, frame.Channel, frame.Payload.Length));
            }
        }
    }
}
