using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Drivers.Tests.Journals;

public sealed partial class JournalSchemaTests
{
    private static readonly string Data = Path.Combine(AppContext.BaseDirectory, "data", "journals");

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("journal.db")]
    [InlineData("blobs.db")]
    public async Task Open_RefusesANewerSchemaAndLeavesItAsItIs(string file)
    {
        await using var open = await OpenStore.NewAsync();
        await open.CloseAsync();
        var path = Path.Combine(open.Path, file);
        OpenStore.Tamper(path, "PRAGMA user_version=7");
        var before = await File.ReadAllBytesAsync(path, Cancellation);

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.OpenAsync());

        Assert.Equal(DriverFailure.Invalid, refused.Failure);
        Assert.Contains($"{file} has schema version 7, this drella knows versions up to 1. Use the newer drella", refused.Message, StringComparison.Ordinal);
        Assert.Equal(before, await File.ReadAllBytesAsync(path, Cancellation));
    }

    [Fact]
    public async Task Open_RefusesAFileOfAnotherProgram()
    {
        await using var open = new OpenStore();
        OpenStore.Tamper(open.JournalFile, "CREATE TABLE theirs (id INTEGER)");

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.OpenAsync());

        Assert.Contains("is not a drella journal file", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_RefusesWhatIsNoDatabase()
    {
        await using var open = new OpenStore();
        await File.WriteAllTextAsync(open.JournalFile, new string('x', 5000), Cancellation);

        var refused = await Assert.ThrowsAsync<DriverException>(() => open.OpenAsync());

        Assert.Equal(DriverFailure.Invalid, refused.Failure);
    }

    [Fact]
    public async Task Open_ReadsAndContinuesTheFilesOfVersion1()
    {
        await using var open = new OpenStore();
        OpenStore.Tamper(open.JournalFile, await File.ReadAllTextAsync(Path.Combine(Data, "journal.v1.sql"), Cancellation));
        OpenStore.Tamper(open.BlobFile, await File.ReadAllTextAsync(Path.Combine(Data, "blobs.v1.sql"), Cancellation));

        await open.OpenAsync();

        Assert.Equal(new ChainReport(2, 5, null), await open.Store.Journal.VerifyAsync(null, Cancellation));
        var job = new StreamId("job/3f2a");
        var entries = await open.Store.Journal.ReadAsync(job, 0, Cancellation).ToListAsync(Cancellation);
        Assert.Equal(["job.queued", "step.started", "step.finished"], entries.Select(entry => entry.Kind));
        Assert.Equal("{\"title\":\"Größe prüfen\"}", Encoding.UTF8.GetString(entries[0].Payload.Span));
        Assert.Equal("{ \"step\" : \"boot\" }\n", Encoding.UTF8.GetString(entries[1].Payload.Span));
        Assert.Equal(DateTimeOffset.FromUnixTimeMilliseconds(1767225603999), entries[2].At);
        await open.Store.Journal.AppendAsync(job, 3, [new NewEntry("step.started", 1, "{}"u8.ToArray())], Cancellation);
        Assert.Equal(new ChainReport(1, 4, null), await open.Store.Journal.VerifyAsync(job, Cancellation));

        var blob = new BlobId("job-3f2a/transcript/1-producer-1");
        await using (var writer = await open.Store.Blobs.AppendAsync(blob, Cancellation))
        {
            await writer.WriteAsync("!"u8.ToArray(), Cancellation);
        }

        var text = new StringBuilder();
        await foreach (var part in open.Store.Blobs.ReadAsync(blob, 3, Cancellation))
        {
            text.Append(Encoding.UTF8.GetString(part.Span));
        }

        Assert.Equal("lo world!", text.ToString());
    }

    [Fact]
    public async Task Document_GivesAnExampleWhoseHashesHold()
    {
        var page = await File.ReadAllTextAsync(Path.Combine(Data, "journal.md"), Cancellation);
        using var example = JsonDocument.Parse(JsonBlock().Match(page).Groups[1].Value);
        var previous = HashChain.Genesis.ToArray();
        foreach (var entry in example.RootElement.EnumerateArray())
        {
            Assert.Equal(Convert.ToHexStringLower(previous), entry.GetProperty("previous").GetString());
            previous = HashChain.Compute(
                previous,
                new StreamId(Text(entry, "stream")),
                entry.GetProperty("sequence").GetInt64(),
                DateTimeOffset.FromUnixTimeMilliseconds(entry.GetProperty("at").GetInt64()),
                Text(entry, "kind"),
                entry.GetProperty("version").GetInt32(),
                Encoding.UTF8.GetBytes(Text(entry, "payload")));
            Assert.Equal(Convert.ToHexStringLower(previous), entry.GetProperty("hash").GetString());
        }

        Assert.Equal(2, example.RootElement.GetArrayLength());
    }

    private static string Text(JsonElement entry, string name) => entry.GetProperty(name).GetString() ?? "";

    [GeneratedRegex("```json\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex JsonBlock();
}
