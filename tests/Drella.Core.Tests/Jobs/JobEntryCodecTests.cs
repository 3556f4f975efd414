using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Journal;

namespace Drella.Core.Tests.Jobs;

public sealed class JobEntryCodecTests
{
    private static readonly string Golden = Path.Combine(AppContext.BaseDirectory, "Jobs", "entries-v1.jsonl");

    [Fact]
    public void Samples_HoldEveryKind() => Assert.Equal(
        JobEntryCodec.Kinds, SomeEntries.OfEveryKind.Select(entry => JobEntryCodec.Encode(entry).Kind).Order(StringComparer.Ordinal));

    /// <summary>No line of the file is ever changed, a new kind only adds one: what a journal on disk holds must be read for ever.</summary>
    [Fact]
    public void Decode_ReadsTheEntriesOfTheFirstVersion()
    {
        var lines = File.ReadAllLines(Golden);
        Assert.Equal(SomeEntries.OfEveryKind.Count, lines.Length);
        Assert.All(lines.Zip(SomeEntries.OfEveryKind), pair =>
        {
            var (line, expected) = pair;
            var cut = line.IndexOf(' ', StringComparison.Ordinal);
            var kind = line[..cut];
            var payload = Encoding.UTF8.GetBytes(line[(cut + 1)..]);

            var old = JobEntryCodec.Decode(Kept(kind, 1, payload));

            Assert.Equal(JobEntryCodec.Encode(expected).Payload.ToArray(), JobEntryCodec.Encode(old).Payload.ToArray());
            Assert.Equal(expected.GetType(), old.GetType());
        });
    }

    [Fact]
    public void Encode_AndDecodeLoseNothing() => Assert.All(SomeEntries.OfEveryKind, entry =>
        Assert.Equal(JobEntryCodec.Encode(entry).Payload.ToArray(), JobEntryCodec.Encode(SomeEntries.ReadBack(entry)).Payload.ToArray()));

    [Theory]
    [InlineData("step.started", 2)]
    [InlineData("step.started", 0)]
    [InlineData("step.imagined", 1)]
    [InlineData("", 1)]
    public void Decode_RefusesWhatItDoesNotKnowAndSaysWhere(string kind, int version)
    {
        var refused = Assert.Throws<InvalidDataException>(() => JobEntryCodec.Decode(Kept(kind, version, "{}"u8.ToArray())));

        Assert.Contains("job/j000000000000 entry 7", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"'{kind}' version {version}", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Decode_PassesOverMembersThatALaterVersionAdded()
    {
        var entry = JobEntryCodec.Decode(Kept("base.resolved", 1, """{"commit":"b1","because":"new"}"""u8.ToArray()));

        Assert.Equal(new JobEntry.BaseResolved("b1"), entry);
    }

    [Theory]
    [InlineData("'<a href=\"x\">&`+ ")]
    [InlineData("größte ")]
    [InlineData("日本語")]
    [InlineData("😀")]
    public void Encode_KeepsTheLargestSpecInAnyLanguageWithinOneEntry(string words)
    {
        var text = new StringBuilder();
        while (Encoding.UTF8.GetByteCount(words) * (text.Length / words.Length + 1) < Drella.Core.Specs.SpecParser.MaxBytes)
        {
            text.Append(words);
        }

        Assert.True(JobEntryCodec.Fits(new JobEntry.Opened(Some.Request() with { Text = text.ToString() })));
    }

    [Fact]
    public void Fits_IsFalseForWhatTheJournalWouldRefuse() =>
        Assert.False(JobEntryCodec.Fits(new JobEntry.Opened(Some.Request() with { Text = new string('\u0001', 200_000) })));

    private static Entry Kept(string kind, int version, byte[] payload) =>
        new(new StreamId("job/j000000000000"), 7, Some.Now, kind, version, payload, default, default);
}
