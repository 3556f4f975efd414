using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Drella.Gateway.Models;
using Drella.Gateway.Tapes;
using Drella.Gateway.Tests.Doors;

namespace Drella.Gateway.Tests.Tapes;

public sealed class TapeTests
{
    private const string Hello = """[{"role":"user","content":"x"}]""";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public void Examples_OfTheFormatPageAreRead()
    {
        var page = Page();
        var tape = TapeReader.Read(Regex.Match(page, "```yaml\n(.*?)```", RegexOptions.Singleline).Groups[1].Value);
        Assert.Equal(4, tape.Scripts.Count);
        _ = new RecordedTape([Regex.Match(page, "```json\n(.*?)```", RegexOptions.Singleline).Groups[1].Value]);
    }

    [Theory]
    [InlineData("scripts: [ {match: {rolle: x}, steps: []} ]")]
    [InlineData("scripts: [ {match: {}, steps: []}, {match: {}, steps: []} ]")]
    [InlineData("a: 1")]
    [InlineData("- [")]
    [InlineData("")]
    public void Reader_RefusesWhatIsNotATape(string yaml) => Assert.Throws<FormatException>(() => TapeReader.Read(yaml));

    [Fact]
    public async Task Mismatch_IsToldWithoutRetryAndReported()
    {
        var model = Model("scripts: [ {match: {role: producer}, steps: [ {expect: {prompt: {contains: zebra}}, say: hi} ]} ]");

        using var answer = await model.SendAsync(Call("""[{"role":"user","content":"horse"}]"""), Stop);

        Assert.Equal((403, "false"), (answer.Status, answer.Headers["x-should-retry"]));
        Assert.Contains("script 'producer', step 0: prompt", Assert.Single(model.Report.Mismatches), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Gate_HoldsTheAnswerUntilReleased()
    {
        var model = Model("scripts: [ {match: {}, steps: [ {gate: door, say: hi} ]} ]");
        var pending = model.SendAsync(Call("""[{"role":"user","content":"x"}]"""), Stop);
        await model.GateReached("door").WaitAsync(Stop);
        Assert.False(pending.IsCompleted);
        model.ReleaseGate("door");
        using var answer = await pending;
        Assert.Equal(200, answer.Status);
    }

    [Theory]
    [InlineData(429, "rate_limit_error", ", retryAfter: \"7\"", "7")]
    [InlineData(529, "overloaded_error", "", null)]
    public async Task Fault_OfStatusIsServedSoManyTimes(int status, string type, string more, string? retryAfter)
    {
        var model = Model($"scripts: [ {{match: {{}}, steps: [ {{fault: {{status: {status}, times: 2{more}}}, say: hi}} ]}} ]");

        for (var i = 0; i < 2; i++)
        {
            using var answer = await model.SendAsync(Call(Hello), Stop);
            using var reader = new StreamReader(answer.Body);
            Assert.Equal((status, retryAfter), (answer.Status, answer.Headers.GetValueOrDefault("retry-after")));
            Assert.Contains(type, await reader.ReadToEndAsync(Stop), StringComparison.Ordinal);
        }

        Assert.Contains("hi", await TextAsync(model, Hello), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Fault_OfHangAnswersNothingUntilTheCallerGivesUp()
    {
        var model = Model("scripts: [ {match: {}, steps: [ {fault: {hang: beforeHeaders}, say: hi} ]} ]");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var before = model.SendAsync(Call(Hello), patience.Token);
        Assert.False(before.IsCompleted);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => before);

        Assert.Contains("hi", await TextAsync(model, Hello), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hang: afterHeaders", false)]
    [InlineData("hang: midBlock", true)]
    public async Task Fault_OfAHangingStreamBreaksOffWhereItSays(string fault, bool saysSomething)
    {
        var model = Model($"scripts: [ {{match: {{}}, steps: [ {{fault: {{{fault}}}, say: a long sentence}} ]}} ]");
        using var answer = await model.SendAsync(Call(Hello, ""","stream":true"""), Stop);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        var text = new StringBuilder();
        var buffer = new byte[64 << 10];
        ValueTask<int> reading;
        while ((reading = answer.Body.ReadAsync(buffer, patience.Token)).IsCompleted)
        {
            text.Append(Encoding.UTF8.GetString(buffer, 0, await reading));
        }

        Assert.Equal(saysSomething, text.ToString().Contains("content_block_start", StringComparison.Ordinal));
        Assert.DoesNotContain("message_stop", text.ToString(), StringComparison.Ordinal);
        await patience.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading.AsTask());
    }

    [Fact]
    public async Task Fault_OfACutEndsTheStreamShortOrDropsTheConnection()
    {
        var model = Model("scripts: [ {match: {}, steps: [ {fault: {cutAfterBlocks: 1}, say: hi, do: [ {op: shell, cmd: ls} ]} ]} ]");
        using var cut = await model.SendAsync(Call(Hello, ""","stream":true"""), Stop);
        using var reader = new StreamReader(cut.Body);
        var text = await reader.ReadToEndAsync(Stop);
        Assert.Contains("content_block_stop", text, StringComparison.Ordinal);
        Assert.DoesNotContain("tool_use", text, StringComparison.Ordinal);
        Assert.DoesNotContain("message_stop", text, StringComparison.Ordinal);

        var dropping = Model("scripts: [ {match: {}, steps: [ {fault: {drop: true}, say: hi} ]} ]");
        await Assert.ThrowsAsync<IOException>(async () =>
        {
            using var dropped = await dropping.SendAsync(Call(Hello, ""","stream":true"""), Stop);
            await dropped.Body.CopyToAsync(Stream.Null, Stop);
        });
    }

    [Fact]
    public async Task Fault_OfGarbageIsServedAsItStands()
    {
        var model = Model("scripts: [ {match: {}, steps: [ {fault: {rawSse: \"data: {nope\\n\\n\"}, say: hi} ]} ]");
        using var answer = await model.SendAsync(Call(Hello, ""","stream":true"""), Stop);
        using var reader = new StreamReader(answer.Body);

        Assert.Equal(("data: {nope\n\n", "text/event-stream"), (await reader.ReadToEndAsync(Stop), answer.Headers["content-type"]));
    }

    [Fact]
    public async Task End_AnswersABareContinueCalmly()
    {
        var model = Model("scripts: [ {match: {}, steps: [ {say: done}, {expect: {prompt: {contains: review}}, say: more} ]} ]");

        Assert.Contains("Nothing is left", await TextAsync(model, """[{"role":"user","content":"a"},{"role":"assistant","content":"done"},{"role":"user","content":"continue"}]"""), StringComparison.Ordinal);
        Assert.Contains("more", await TextAsync(model, """[{"role":"user","content":"a"},{"role":"assistant","content":"done"},{"role":"user","content":"the review"}]"""), StringComparison.Ordinal);
        Assert.True(model.Report.IsClean);
    }

    [Fact]
    public async Task Recorder_KeepsWhatReplayGivesBackWithoutTheKey()
    {
        await using var provider = await Tests.Models.Provider.StreamingAsync();
        var lines = new StringWriter();
        var recorder = new TapeRecorder(provider.Upstream, lines);
        var call = Call("""[{"role":"user","content":"x"}]""");
        using (var answer = await recorder.SendAsync(call, Stop))
        {
            await answer.Body.CopyToAsync(Stream.Null, Stop);
        }

        Assert.DoesNotContain(House.Key, lines.ToString(), StringComparison.Ordinal);
        var replay = new RecordedTape(lines.ToString().Split('\n'));
        using var again = await replay.SendAsync(call, Stop);
        using var reader = new StreamReader(again.Body);
        Assert.Equal(Tests.Models.Provider.Head + Tests.Models.Provider.Tail, await reader.ReadToEndAsync(Stop));
        using var other = await replay.SendAsync(Call("""[{"role":"user","content":"x"},{"role":"assistant","content":"y"}]"""), Stop);
        Assert.Equal(403, other.Status);
    }

    private static TapeModel Model(string yaml) => new(TapeReader.Read(yaml), _ => new TapeFacts("", "", new Dictionary<string, string>()), TimeProvider.System);

    private static UpstreamCall Call(string messages, string more = "") =>
        new(House.Producer, "/v1/messages", [], Encoding.UTF8.GetBytes($$"""{"model":"m","tools":[{"name":"Bash"}],"messages":{{messages}}{{more}}}"""));

    private static async Task<string> TextAsync(TapeModel model, string messages)
    {
        using var answer = await model.SendAsync(Call(messages), Stop);
        return (await JsonNode.ParseAsync(answer.Body, cancellationToken: Stop))!["content"]!.ToJsonString();
    }

    private static string Page()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Drella.slnx")))
        {
            at = at.Parent!;
        }

        return File.ReadAllText(Path.Combine(at.FullName, "docs", "formats", "tape.md"));
    }
}
