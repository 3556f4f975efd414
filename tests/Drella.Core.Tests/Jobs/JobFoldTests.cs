using Drella.Core.Jobs;

namespace Drella.Core.Tests.Jobs;

public sealed class JobFoldTests
{
    [Fact]
    public void Open_TakesNothingButAnOpening()
    {
        Assert.Null(JobFold.Open(new JobId("j000000000000"), new JobEntry.Admitted(1), Some.Now));

        var job = JobFold.Open(new JobId("j000000000000"), new JobEntry.Opened(Some.Request()), Some.Now)!;
        Assert.Equal((1L, JobPhase.Queued, 5_000_000L), (job.Sequence, job.Phase, job.BudgetLimit));
    }

    [Fact]
    public void Apply_TakesEveryKindOfEntryInEveryState()
    {
        Job[] states = [Some.Queued(), Some.Working(), Some.InReview(), JobFold.Apply(Some.InReview(), new JobEntry.Concluded(JobConclusion.Merged, "merged"), Some.Now)];
        foreach (var entry in SomeEntries.OfEveryKind)
        {
            foreach (var state in states)
            {
                var after = JobFold.Apply(state, entry, Some.Now + TimeSpan.FromSeconds(1));

                Assert.Equal(state.Sequence + 1, after.Sequence);
                Assert.Equal(Some.Now + TimeSpan.FromSeconds(1), after.ChangedAt);
                Assert.Equal(state.Id, after.Id);
                Assert.Equal(state.Request, after.Request);
            }
        }
    }

    [Fact]
    public void Apply_OfEntriesReadBackGivesTheSameJobAsLive()
    {
        var live = Some.Queued();
        var replayed = live;
        var sequence = 1L;
        foreach (var fact in new JobFact[]
        {
            new JobFact.Admit(), new JobFact.StepBegins(StepName.Prepare),
            new JobFact.StepEnds(StepName.Prepare, new StepOutcome.Succeeded { Entries = [new JobEntry.BaseResolved("base1")] }),
            new JobFact.StepBegins(StepName.Provision), new JobFact.StepEnds(StepName.Provision, new StepOutcome.Broken("no room", true, null)),
            new JobFact.CancelAsked("ann", "stop"),
        })
        {
            foreach (var entry in JobMachine.Decide(live, fact, Some.Now))
            {
                live = JobFold.Apply(live, entry, Some.Now);
                replayed = JobFold.Apply(replayed, SomeEntries.ReadBack(entry, ++sequence), Some.Now);
            }
        }

        Assert.Equal(JobConclusion.Cancelled, live.Conclusion);
        Assert.Equal(
            (live.Sequence, live.Phase, live.Step, live.Tries, live.Conclusion, live.Reason, live.BaseCommit, live.Cancel, live.RetryAt),
            (replayed.Sequence, replayed.Phase, replayed.Step, replayed.Tries, replayed.Conclusion, replayed.Reason, replayed.BaseCommit, replayed.Cancel, replayed.RetryAt));
    }

    [Fact]
    public void Admitted_ForgetsTheLastAttemptButNotThePullRequestAndTheMoney()
    {
        var job = JobFold.Apply(Some.InReview(), new JobEntry.CallSettled("c", "m", 1, 1, 0, 0, 500, 200), Some.Now);
        job = JobFold.Apply(JobFold.Apply(job, new JobEntry.ToolAnswered("t1", "open_pr", false, "ok"), Some.Now), new JobEntry.AgentStarted("producer", "s1", "b1"), Some.Now);

        var again = JobFold.Apply(job, new JobEntry.Admitted(2), Some.Now);

        Assert.Equal((2, 2, StepName.Prepare, 500L), (again.Attempt, again.Round, again.Step, again.Spent));
        Assert.Empty(again.ToolAnswers);
        Assert.Empty(again.Sessions);
        Assert.Empty(again.Verdicts);
        Assert.Single(again.Transcripts);
        Assert.Equal(job.PullRequest, again.PullRequest);
        Assert.Equal("head1", again.Published);
        Assert.Null(again.GuestHead);
    }

    [Fact]
    public void FeedbackReceived_KeepsTheOrderOfArrivalAndTheFirstOfEachKey()
    {
        var job = JobFold.Apply(Some.Working(), new JobEntry.FeedbackReceived([Some.Remark("1"), Some.Remark("2")]), Some.Now);
        job = JobFold.Apply(job, new JobEntry.FeedbackReceived([Some.Remark("1") with { Body = "changed" }, Some.Remark("3")]), Some.Now);

        Assert.Equal(["1", "2", "3"], job.Feedback.Values.OrderBy(row => row.Order).Select(row => row.Row.Id));
        Assert.Equal("Please do 1.", job.Feedback["builtin:comment:1"].Row.Body);
    }
}
