using System.Text;
using Drella.Core.Agents;

namespace Drella.Core.Tests.Agents;

public sealed class LineSplitterTests
{
    [Theory]
    [InlineData("a\nbb\nccc", "a|bb|ccc")]
    [InlineData("a\r\nb\r\n", "a|b")]
    [InlineData("\n\n\r\na\n", "a")]
    [InlineData("a\rb\n", "a\rb")]
    [InlineData("", "")]
    [InlineData("größe\n日本", "größe|日本")]
    public async Task Lines_AreTheSameHoweverTheBytesArrive(string text, string lines)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        for (var size = 1; size <= Math.Max(1, bytes.Length); size++)
        {
            var seen = await SplitAsync(new LineSplitter(100), bytes.Chunk(size));

            Assert.Equal(lines, string.Join('|', seen.Select(line => line.Text)));
            Assert.All(seen, line => Assert.Equal(Encoding.UTF8.GetByteCount(line.Text), line.Length));
        }
    }

    [Fact]
    public async Task Lines_OfAnyLengthAreCutAtTheCapAndSayHowLongTheyWere()
    {
        var seen = await SplitAsync(new LineSplitter(8), [.. Encoding.UTF8.GetBytes(new string('x', 1000) + "\nshort\n" + new string('y', 9)).Chunk(7)]);

        Assert.Equal([("xxxxxxxx", 1000L), ("short", 5L), ("yyyyyyyy", 9L)], seen);
    }

    private static async Task<List<(string Text, long Length)>> SplitAsync(LineSplitter splitter, IEnumerable<byte[]> chunks)
    {
        var seen = new List<(string, long)>();
        ValueTask Keep(ReadOnlyMemory<byte> line, long length)
        {
            seen.Add((Encoding.UTF8.GetString(line.Span), length));
            return ValueTask.CompletedTask;
        }

        foreach (var chunk in chunks)
        {
            await splitter.FeedAsync(chunk, Keep);
        }

        await splitter.FinishAsync(Keep);
        return seen;
    }
}
