using System.Text.Json;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Tools;

namespace Drella.Core.Tests.Tools;

public sealed class ToolDeskTests
{
    // In two parts, so that no scanner takes this file for a leak.
    private const string Key = "AKIA" + "Q7Z3LM5XWP2RTB4N";

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Call_IsJournalledWithItsAnswerBeforeTheAgentHearsOfIt()
    {
        using var work = await JobAtWork.StartAsync();

        var answer = await CallAsync(work, work.Desk(), ToolCatalogue.ReportProgress, """{"text":"half way","percent":50}""");

        Assert.False(answer.IsError, answer.Text);
        Assert.Equal(new JobEntry.ProgressReported("half way", 50), work.Job.Progress);
        var kinds = (await work.EntriesAsync()).TakeLast(3).ToList();
        Assert.Equal(new JobEntry.ToolRequested("producer/1/c1", "producer", "report_progress", """{"text":"half way","percent":50}"""), kinds[0]);
        Assert.IsType<JobEntry.ProgressReported>(kinds[1]);
        Assert.Equal(new JobEntry.ToolAnswered("producer/1/c1", "report_progress", false, "Noted."), kinds[2]);
    }

    [Fact]
    public async Task Call_SeenTwiceInARoundHasOneEffectAndTheSameAnswer()
    {
        using var work = await JobAtWork.StartAsync();
        var desk = work.Desk();
        const string Question = """{"question":"Which colour?"}""";

        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => CallAsync(work, desk, ToolCatalogue.AskHuman, Question)));

        Assert.Single(answers.Distinct());
        Assert.Single((await work.EntriesAsync()).OfType<JobEntry.QuestionAsked>());
    }

    [Fact]
    public async Task CallId_OfAnEarlierRoundIsAnotherCall()
    {
        using var work = await JobAtWork.StartAsync();
        var desk = work.Desk();
        await CallAsync(work, desk, ToolCatalogue.ReportProgress, """{"text":"first"}""");
        await work.EndAsync(StepName.Work, new StepOutcome.Revise(RoundCause.Refused, "again"));
        await work.BeginAsync(StepName.Work);

        await CallAsync(work, desk, ToolCatalogue.ReportProgress, """{"text":"second"}""");

        Assert.Equal("second", work.Job.Progress?.Text);
    }

    [Fact]
    public async Task CallId_UsedForAnotherToolIsAnotherCall()
    {
        using var work = await JobAtWork.StartAsync();
        var desk = work.Desk();
        await CallAsync(work, desk, ToolCatalogue.ReportProgress, """{"text":"x"}""");

        var answer = await CallAsync(work, desk, ToolCatalogue.GetPr, "{}");

        Assert.Contains("no pull request yet", answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task GetPr_IsReadAnewEachTime()
    {
        using var work = await JobAtWork.StartAsync();
        var desk = work.Desk(
            ("PullRequestAsync", _ => throw new DriverException(false, "/var/lib/drella/stores: git -C failed for http://forge.internal") { Failure = DriverFailure.Forbidden }));
        var before = await CallAsync(work, desk, ToolCatalogue.GetPr, "{}");
        await work.RecordAsync(new JobEntry.PullRequestOpened(3, "https://forge.test/3", "drella/x"));

        var after = await CallAsync(work, desk, ToolCatalogue.GetPr, "{}");

        Assert.NotEqual(before.Text, after.Text);
        Assert.Equal("the factory could not do it (Forbidden)", after.Text);
    }

    [Theory]
    [InlineData("cancelled")]
    [InlineData("superseded")]
    [InlineData("over")]
    [InlineData("another role")]
    public async Task Call_InTheNameOfWorkThatIsOverIsRefusedAndKept(string how)
    {
        using var work = await JobAtWork.StartAsync();
        var assignment = work.Job.Assignment;
        switch (how)
        {
            case "cancelled":
                await work.Live.TellAsync(new JobFact.CancelAsked("ann", "no"), Stop);
                break;
            case "superseded":
                await work.EndAsync(StepName.Work, new StepOutcome.Revise(RoundCause.Refused, "again"));
                await work.BeginAsync(StepName.Work);
                break;
            case "over":
                await work.EndAsync(StepName.Work, new StepOutcome.Succeeded());
                break;
            default:
                assignment = assignment with { Role = "validator" };
                break;
        }

        var desk = work.Desk();
        var answer = await desk.CallAsync(assignment, Call(ToolCatalogue.ReportProgress, """{"text":"still here"}"""), Stop);

        Assert.True(answer.IsError);
        Assert.Null(work.Job.Progress);
        Assert.Empty(desk.ToolsFor(assignment));
        Assert.True(Assert.IsType<JobEntry.ToolAnswered>((await work.EntriesAsync())[^1]).IsError);
    }

    [Theory]
    [InlineData(ToolCatalogue.SubmitVerdict, """{"verdict":"pass","summary":"s","findings":[]}""", "not granted")]
    [InlineData(ToolCatalogue.ReportProgress, "{\"text\":\"key " + Key + " here\"}", "secret")]
    [InlineData(ToolCatalogue.UpdatePr, """{"summary":"s","branch":"main"}""", "not this job's branch")]
    [InlineData(ToolCatalogue.CommentOnPr, """{"body":"b","pr":4}""", "not this job's pull request")]
    [InlineData(ToolCatalogue.CommentOnPr, """{"body":"b","pr":9007199254740993}""", "not this job's pull request")]
    [InlineData(ToolCatalogue.PostReview, """{"event":"approve","body":"b"}""", "left to people")]
    [InlineData(ToolCatalogue.ReplyToReview, """{"remark":"inline:9","body":"b","disposition":"fixed"}""", "answers no remarks")]
    public async Task Call_IsRefusedByPolicyWithoutAnEffect(string tool, string arguments, string reason)
    {
        using var work = await JobAtWork.StartAsync(tools: [.. ToolCatalogue.All.Select(known => known.Name).Where(name => name != ToolCatalogue.SubmitVerdict)]);
        await work.RecordAsync(new JobEntry.PullRequestOpened(3, "https://forge.test/3", "drella/x"));
        await work.RecordAsync(new JobEntry.HeadPublished(new string('b', 40), new string('b', 40)));

        var answer = await CallAsync(work, work.Desk(), tool, arguments);

        Assert.True(answer.IsError);
        Assert.Contains(reason, answer.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(Key, string.Concat((await work.EntriesAsync()).OfType<JobEntry.ToolRequested>().Select(call => call.Arguments)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comments_AreCappedInAnAttemptAndTheFloodIsKeptShort()
    {
        using var work = await JobAtWork.StartAsync();
        await work.RecordAsync(new JobEntry.PullRequestOpened(3, "https://forge.test/3", "drella/x"));
        var posted = 0;
        var desk = work.Desk(
            ("FindCommentAsync", _ => Task.FromResult<Remark?>(null)),
            ("CommentAsync", _ => Task.FromResult((++posted).ToString(System.Globalization.CultureInfo.InvariantCulture))));
        var body = JsonSerializer.Serialize(new { body = new string('x', 5000) });

        for (var i = 0; i < 100; i++)
        {
            await CallAsync(work, desk, ToolCatalogue.CommentOnPr, body, $"c{i}");
        }

        Assert.Equal(20, posted);
        Assert.True((await work.EntriesAsync()).OfType<JobEntry.ToolRequested>().Sum(call => call.Arguments.Length) < 21 * 5100 + 80 * 200);
    }

    private static ToolCall Call(string tool, string arguments, string id = "c1") => new(id, tool, JsonElement.Parse(arguments));

    private static Task<ToolAnswer> CallAsync(JobAtWork work, ToolDesk desk, string tool, string arguments, string id = "c1") =>
        desk.CallAsync(work.Job.Assignment, Call(tool, arguments, id), Stop);
}
