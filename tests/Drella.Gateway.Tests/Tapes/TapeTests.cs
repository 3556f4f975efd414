using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Drella.Gateway.Models;
using Drella.Gateway.Tapes;
using Drella.Gateway.Tests.Doors;

namespace Drella.Gateway.Tests.Tapes;

public sealed class TapeTests
{
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

    private static UpstreamCall Call(string messages) =>
        new(House.Producer, "/v1/messages", [], Encoding.UTF8.GetBytes($$"""{"model":"m","tools":[{"name":"Bash"}],"messages":{{messages}}}"""));

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
