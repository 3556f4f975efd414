using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Core.Tests.PullRequests;

public sealed class StatusTextTests
{
    private static readonly FactorySettings Settings = new() { Identity = new Identity("drellabot", "bot@example.com"), AllowedRepos = [], DashboardUrl = "http://dash" };

    [Fact]
    public void For_SaysWhereTheJobIs()
    {
        Assert.StartsWith("**Waiting for a place.**", StatusText.For(Some.Queued(), Settings), StringComparison.Ordinal);
        Assert.StartsWith("**The agent is at work.**", StatusText.For(Some.Working(), Settings), StringComparison.Ordinal);
        Assert.StartsWith("**Ready for review.**\n\nPull request: http://forge/pull/3\n", StatusText.For(Some.InReview(), Settings), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(JobConclusion.Merged, "Merged. Done.")]
    [InlineData(JobConclusion.Closed, "Closed without a merge.")]
    [InlineData(JobConclusion.Failed, "Failed.")]
    [InlineData(JobConclusion.Cancelled, "Cancelled.")]
    [InlineData(JobConclusion.NeedsHuman, "A person is needed.")]
    public void For_SaysHowItEndedAndWhy(JobConclusion conclusion, string headline)
    {
        var job = JobFold.Apply(Some.InReview(), new JobEntry.Concluded(conclusion, "because <!-- of --> it"), Some.Now);

        var text = StatusText.For(job, Settings);

        Assert.StartsWith($"**{headline}**\n\nbecause &lt;!-- of --> it\n\n", text, StringComparison.Ordinal);
        Assert.Contains($"<sub>Job `{job.Id}`, attempt 1, round 1, [follow it](http://dash/jobs/{job.Id})</sub>", text, StringComparison.Ordinal);
    }

    [Fact]
    public void For_AsksTheQuestionAndSaysHowToAnswer()
    {
        var job = JobFold.Apply(Some.Working(), new JobEntry.QuestionAsked("c1", "Which colour?\nReally?", ["blue", "red"]), Some.Now);
        job = JobFold.Apply(job, new JobEntry.WaitBegan(WaitKind.Answer, "the agent asks", Some.Now), Some.Now);

        Assert.StartsWith(
            $"**Paused: there is a question.**\n\nthe agent asks\n\n> Which colour?\n> Really?\n\n- blue\n- red\n\nAnswer here, or with `drella job answer {job.Id} \"…\"`.\n\n",
            StatusText.For(job, Settings),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Digest_TellsTextsApart()
    {
        Assert.Equal(StatusText.Digest("a"), StatusText.Digest("a"));
        Assert.NotEqual(StatusText.Digest("a"), StatusText.Digest("b"));
    }
}
