using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Web.Api;

namespace Drella.Web.Tests;

public sealed class StreamTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Events_LoseNothingAndDoubleNothingWhenTheReaderComesBackAgainAndAgain()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        var writing = Task.Run(async () =>
        {
            for (var i = 1; i <= 300; i++)
            {
                await live.RecordAsync(new JobEntry.ProgressReported($"part {i}\nof many", null), Cancellation);
            }
        });
        var seen = new List<long>();
        for (var visit = 0; seen.Count < 301; visit++)
        {
            // The page's own place never moves; what the browser says on coming back does.
            using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/jobs/{live.Job.Id}/events?after=0");
            if (seen.Count > 0)
            {
                request.Headers.TryAddWithoutValidation("Last-Event-ID", seen[^1].ToString(System.Globalization.CultureInfo.InvariantCulture));
            }

            using var answer = await house.Client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, Cancellation);
            Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
            await foreach (var item in SseParser.Create(await answer.Content.ReadAsStreamAsync(Cancellation)).EnumerateAsync(Cancellation))
            {
                Assert.Equal("entry", item.EventType);
                var entry = JsonSerializer.Deserialize<EntryView>(item.Data, WebServer.Wire)!;
                Assert.Equal(entry.Sequence.ToString(System.Globalization.CultureInfo.InvariantCulture), item.EventId);
                seen.Add(entry.Sequence);
                if (seen.Count % 37 == 0 || seen.Count == 301)
                {
                    break;
                }
            }
        }

        await writing;
        Assert.Equal(Enumerable.Range(1, 301).Select(i => (long)i), seen);
    }

    [Fact]
    public async Task Events_EndWhenTheServerStops()
    {
        var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync();
        using var entries = await house.Client.GetAsync($"/api/jobs/{live.Job.Id}/events", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var changes = await house.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await entries.Content.ReadAsStreamAsync(Cancellation));
        for (var line = ""; line != "id: 1"; line = await reader.ReadLineAsync(Cancellation))
        {
            Assert.NotNull(line);
        }

        var ends = Task.WhenAll(reader.ReadToEndAsync(Cancellation), changes.Content.ReadAsStringAsync(Cancellation));

        await house.Server.DisposeAsync();

        Assert.Contains("\"kind\":\"opened\"", (await ends)[0], StringComparison.Ordinal);
        await house.DisposeAsync();
    }

    [Fact]
    public async Task Events_SayThatTheyAreStillThereWhenNothingHappens()
    {
        var time = new Drella.Testing.FakeTime();
        await using var house = await WebHouse.OpenAsync(time: time);
        var live = await house.JobAsync();
        using var answer = await house.Client.GetAsync($"/api/jobs/{live.Job.Id}/events?after=1", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal(": here", await reader.ReadLineAsync(Cancellation));
        Assert.Equal("", await reader.ReadLineAsync(Cancellation));

        await time.UntilTimersAsync(1, Cancellation);
        time.Advance(TimeSpan.FromSeconds(15));

        Assert.Equal(": still here", await reader.ReadLineAsync(Cancellation));
        await live.RecordAsync(new JobEntry.ProgressReported("on", null), Cancellation);
        Assert.Equal("", await reader.ReadLineAsync(Cancellation));
        Assert.Equal("id: 2", await reader.ReadLineAsync(Cancellation));
    }

    [Fact]
    public async Task Changes_AreToldWhenAnyJobChanges()
    {
        await using var house = await WebHouse.OpenAsync();
        using var answer = await house.Client.GetAsync("/api/events", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        await using var body = await answer.Content.ReadAsStreamAsync(Cancellation);
        var first = FirstAsync(body);
        var live = await house.JobAsync();

        // The subscription may come a moment after the headers; a change after that must be told.
        while (!first.IsCompleted)
        {
            await live.RecordAsync(new JobEntry.ProgressReported("on", null), Cancellation);
            await Task.Yield();
        }

        Assert.Contains(live.Job.Id.Value, await first, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Entries_ComeAsLinesFromThePlaceGiven()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, Some.AtWork("t"));

        var lines = (await house.Client.GetStringAsync($"/api/jobs/{live.Job.Id}/entries?after=2", Cancellation)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        var entries = lines.Select(line => JsonSerializer.Deserialize<EntryView>(line, WebServer.Wire)!).ToList();
        Assert.Equal(Enumerable.Range(3, (int)live.Job.Sequence - 2).Select(i => (long)i), entries.Select(entry => entry.Sequence));
        Assert.All(entries, entry => Assert.NotEmpty(entry.Text));
    }

    [Fact]
    public async Task Transcript_ComesByteForByteAndAsEventsWithItsUnfinishedLastLine()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, Some.AtWork("t"));
        byte[] raw =
        [
            .. Line(new AgentEvent.Said("one", null)), .. "\n\r\n"u8, 0, 0xFF, 0x1B, (byte)'\n', .. Line(new AgentEvent.Said("two", null)).AsSpan(..^1), .. "\r\n"u8,
            .. Line(new AgentEvent.Said("three", null)).AsSpan(..^1),
        ];
        await house.BlobAsync("t", raw);

        Assert.Equal(raw, await house.Client.GetByteArrayAsync($"/api/jobs/{live.Job.Id}/transcripts/0", Cancellation));
        var events = (await house.Client.GetStringAsync($"/api/jobs/{live.Job.Id}/transcript/events?index=0", Cancellation))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(AgentEventJson.Read).ToList();
        Assert.Equal(["one", "two", "three"], events.OfType<AgentEvent.Said>().Select(said => said.Content));
        Assert.Single(events.OfType<AgentEvent.Unparsed>());
        foreach (var index in new[] { "1", "-1", "x", "99999999999" })
        {
            using var none = await house.Client.GetAsync($"/api/jobs/{live.Job.Id}/transcripts/{index}", Cancellation);
            Assert.Equal(System.Net.HttpStatusCode.NotFound, none.StatusCode);
        }
    }

    [Fact]
    public async Task Transcript_GoesOnWhileTheAgentWorksAndEndsWithIt()
    {
        await using var house = await WebHouse.OpenAsync();
        var live = await house.JobAsync(null, Some.AtWork("t"));
        await house.BlobAsync("t", "first\n"u8.ToArray());
        using var answer = await house.Client.GetAsync($"/api/jobs/{live.Job.Id}/transcripts/0?follow=true", HttpCompletionOption.ResponseHeadersRead, Cancellation);
        using var reader = new StreamReader(await answer.Content.ReadAsStreamAsync(Cancellation));
        Assert.Equal("first", await reader.ReadLineAsync(Cancellation));

        await house.BlobAsync("t", "last\n"u8.ToArray());
        await live.RecordAsync(new JobEntry.StepSucceeded(StepName.Work), Cancellation);

        Assert.Equal("last", await reader.ReadLineAsync(Cancellation));
        Assert.Null(await reader.ReadLineAsync(Cancellation));
    }

    [Fact]
    public async Task Reader_TellsOfALineThatIsTooLongAndGoesOnBehindIt()
    {
        var blobs = new Drella.Testing.Fakes.MemoryBlobStore();
        await using (var writer = await blobs.AppendAsync(new("t"), Cancellation))
        {
            await writer.WriteAsync(Encoding.UTF8.GetBytes(new string('x', 200_000) + "\n"), Cancellation);
            await writer.WriteAsync(Line(new AgentEvent.Said("behind", null)), Cancellation);
        }

        var events = new List<AgentEvent>();
        await foreach (var said in TranscriptReader.ReadAsync(blobs, new("t"), new LineAgent().OpenStream(), Cancellation, maxLine: 1000))
        {
            events.Add(said);
        }

        Assert.Equal(new AgentEvent.Notice("drella/line-cut 200000"), events[0]);
        Assert.Equal(200, Assert.IsType<AgentEvent.Unparsed>(events[1]).Start.Length);
        Assert.Equal(new AgentEvent.Said("behind", null), events[2]);
    }

    private static byte[] Line(AgentEvent said) => Encoding.UTF8.GetBytes(AgentEventJson.Write(said) + "\n");

    private static async Task<string> FirstAsync(Stream body)
    {
        await foreach (var item in SseParser.Create(body).EnumerateAsync(Cancellation))
        {
            return item.Data;
        }

        return "";
    }
}
