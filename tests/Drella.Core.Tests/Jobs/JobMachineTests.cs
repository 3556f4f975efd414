using Drella.Core.Budgets;
using Drella.Core.Forges;
using Drella.Core.Jobs;

namespace Drella.Core.Tests.Jobs;

public sealed class JobMachineTests
{
    [Fact]
    public void Decide_LeadsAnUntroubledJobThroughThePlanToReview()
    {
        var job = Some.InReview();

        Assert.Equal((JobPhase.InReview, null, null), (job.Phase, job.Step, job.Conclusion));
        Assert.Equal((1, 1), (job.Attempt, job.Round));
        Assert.True(job.IsReady);
        Assert.Equal(3, job.PullRequest!.Number);
    }

    [Fact]
    public void Admit_IsForQueuedJobsOnly()
    {
        var (job, entries) = Some.Tell(Some.Queued(), new JobFact.Admit());

        Assert.Equal([new JobEntry.Admitted(1)], entries);
        Assert.Empty(Some.Tell(job, new JobFact.Admit()).Entries);
    }

    [Fact]
    public void StepEnds_OfAStepThatIsNotOpenLeavesOnlyWhatWasSeen()
    {
        var job = Some.InReview();
        var opened = new JobEntry.PullRequestOpened(4, "http://forge/pull/4", "b");

        var (after, entries) = Some.Tell(job, new JobFact.StepEnds(StepName.Work, new StepOutcome.Succeeded { Entries = [opened, new JobEntry.BaseResolved("x")] }));

        Assert.Equal([opened], entries);
        Assert.Equal(job.Step, after.Step);
    }

    [Fact]
    public void Broken_IsTriedAgainWithGrowingPausesUntilTheBound()
    {
        var job = Some.Working();
        var pauses = new List<TimeSpan>();
        while (job.Conclusion is null)
        {
            job = Some.After(job, new JobFact.StepEnds(StepName.Work, new StepOutcome.Broken("no answer", true, null)));
            if (job.RetryAt is { } at)
            {
                pauses.Add(at - Some.Now);
                job = Some.After(job, new JobFact.StepBegins(StepName.Work));
            }
        }

        Assert.Equal([1, 2, 4], pauses.Select(pause => (int)pause.TotalSeconds));
        Assert.Equal((JobConclusion.Failed, "Work failed (tried 4 times): no answer", StepName.Settle), (job.Conclusion.Value, job.Reason, job.Step));
    }

    [Fact]
    public void Broken_WaitsAsLongAsTheOtherSideSays()
    {
        var later = Some.Now + TimeSpan.FromHours(1);

        Assert.Equal(later, Some.After(Some.Working(), new JobFact.StepEnds(StepName.Work, new StepOutcome.Broken("throttled", true, later))).RetryAt);
    }

    [Fact]
    public void Broken_ForGoodEndsTheJobAtOnceButNeverHoldsUpItsEnd()
    {
        var failed = Some.After(Some.Working(), new JobFact.StepEnds(StepName.Work, new StepOutcome.Broken("no such model", false, null)));
        Assert.Equal("Work failed: no such model", failed.Reason);

        var settled = Some.After(failed, new JobFact.StepBegins(StepName.Settle), new JobFact.StepEnds(StepName.Settle, new StepOutcome.Broken("forbidden", false, null)));
        Assert.Equal((StepName.Release, JobConclusion.Failed, "Work failed: no such model"), (settled.Step, settled.Conclusion, settled.Reason));
    }

    [Fact]
    public void Begin_OfAStepThatThePersonsWordOvertookIsNothing()
    {
        var waiting = Some.After(Some.Working(), new JobFact.StepEnds(StepName.Work, new StepOutcome.Paused(WaitKind.Budget, "spent")));
        Assert.Equal(StepName.Park, waiting.Step);
        var continued = Some.After(waiting, new JobFact.ContinueAsked("ann", null, 9_000_000));

        // The runner looked before the word came: parking now would leave a job that rests without a pull request.
        Assert.Empty(Some.Tell(continued, new JobFact.StepBegins(StepName.Park)).Entries);
        Assert.Equal(StepName.Provision, continued.Step);
    }

    [Fact]
    public void Revise_OpensRoundsUpToTheCapAndThenAsksAPerson()
    {
        var job = Some.Working();
        for (var round = 2; round <= 3; round++)
        {
            job = Some.After(job, new JobFact.StepEnds(job.Step!.Value, new StepOutcome.Revise(RoundCause.Findings, "no test")));
            Assert.Equal((round, StepName.Work, "no test"), (job.Round, job.Step, job.CauseDetail));
            job = Some.After(job, new JobFact.StepBegins(StepName.Work));
        }

        job = Some.After(job, new JobFact.StepEnds(StepName.Work, new StepOutcome.Revise(RoundCause.Findings, "no test")));
        Assert.Equal((JobConclusion.NeedsHuman, "no agreement after 3 rounds: no test"), (job.Conclusion, job.Reason));
    }

    [Fact]
    public void Feedback_OpensARoundWhenTheJobRestsAndOnlyOnce()
    {
        var (job, entries) = Some.Tell(Some.InReview(), new JobFact.FeedbackArrived([Some.Remark("1"), Some.Remark("2", needsWork: false), Some.Remark("1")]));

        Assert.Equal((2, RoundCause.Feedback, StepName.Provision), (job.Round, job.Cause, job.Step));
        Assert.Equal(["builtin:comment:1"], job.TakenFeedback.Select(row => row.Row.Key));
        Assert.Equal(Disposition.Noted, job.Feedback["builtin:comment:2"].Disposition);
        Assert.Equal(2, Assert.IsType<JobEntry.FeedbackReceived>(entries[0]).Rows.Count);
        Assert.Empty(Some.Tell(job, new JobFact.FeedbackArrived([Some.Remark("1")])).Entries);
    }

    [Fact]
    public void Feedback_ThatComesWhileTheAgentWorksWaitsForTheRest()
    {
        var job = Some.After(Some.Working(), new JobFact.FeedbackArrived([Some.Remark("1")]));
        Assert.Equal((1, StepName.Work), (job.Round, job.Step));
        Assert.Empty(job.TakenFeedback);

        job = Some.Did(Some.After(job, new JobFact.StepEnds(StepName.Work, new StepOutcome.Succeeded())), StepName.Harvest);
        foreach (var step in new[] { StepName.Judge, StepName.Publish, StepName.Answer, StepName.Park })
        {
            job = Some.Did(job, step);
        }

        Assert.Equal((2, RoundCause.Feedback), (job.Round, job.Cause));
        Assert.Single(job.TakenFeedback);
    }

    [Fact]
    public void Cancel_EndsARestingJobAtOnceAndARunningStepAtItsEnd()
    {
        var resting = Some.After(Some.InReview(), new JobFact.CancelAsked("ann", "no longer wanted"));
        Assert.Equal((JobConclusion.Cancelled, "no longer wanted (asked by ann)"), (resting.Conclusion, resting.Reason));

        var (working, entries) = Some.Tell(Some.Working(), new JobFact.CancelAsked("ann", "stop"));
        Assert.Equal([new JobEntry.CancelRequested("ann", "stop")], entries);
        Assert.Null(working.Conclusion);
        Assert.Empty(Some.Tell(working, new JobFact.CancelAsked("bob", "stop too")).Entries);
        Assert.Equal(JobConclusion.Cancelled, Some.After(working, new JobFact.StepEnds(StepName.Work, new StepOutcome.Broken("interrupted", true, null))).Conclusion);
        Assert.Empty(Some.Tell(resting, new JobFact.CancelAsked("ann", "again")).Entries);
    }

    [Fact]
    public void PullRequest_MergedOrClosedEndsTheJobAndOpenedAgainBringsItBack()
    {
        var merged = Some.After(Some.InReview(), new JobFact.PullRequestChanged(PullRequestState.Merged, "ann", "abc"));
        Assert.Equal((JobConclusion.Merged, "merged by ann as abc"), (merged.Conclusion, merged.Reason));
        Assert.Empty(Some.Tell(merged, new JobFact.PullRequestChanged(PullRequestState.Merged, "ann", "abc")).Entries);

        var closed = Some.After(Some.InReview(), new JobFact.PullRequestChanged(PullRequestState.Closed, "ann", null));
        Assert.Equal(JobConclusion.Closed, closed.Conclusion);
        Assert.Contains("drella job retry", closed.Reason, StringComparison.Ordinal);

        var again = Some.After(closed, new JobFact.PullRequestChanged(PullRequestState.Open, "ann", null));
        Assert.Equal((JobPhase.Queued, null), (again.Phase, again.Conclusion));
    }

    [Fact]
    public void Retry_StartsCleanButNeverAfterAMerge()
    {
        var failed = Some.After(Some.Working(), new JobFact.StepEnds(StepName.Work, new StepOutcome.Rejected(JobConclusion.Failed, "broken")));
        var retried = Some.After(failed, new JobFact.RetryAsked("ann"), new JobFact.Admit());
        Assert.Equal((2, StepName.Prepare, null), (retried.Attempt, retried.Step, retried.Conclusion));
        Assert.Empty(retried.Sessions);

        var merged = Some.After(Some.InReview(), new JobFact.PullRequestChanged(PullRequestState.Merged, null, "abc"));
        Assert.Empty(Some.Tell(merged, new JobFact.RetryAsked("ann")).Entries);
        Assert.Empty(Some.Tell(Some.Working(), new JobFact.RetryAsked("ann")).Entries);
    }

    [Fact]
    public void Budget_IsReservedSettledAndNeverExceeded()
    {
        var job = Some.Working(Some.Request() with { Budget = 100 });
        job = Some.After(job, new JobFact.Reserve(new ModelCall("c1", "m", 60), "producer"));
        Assert.Equal(60, job.Reserved);

        var (full, refused) = Some.Tell(job, new JobFact.Reserve(new ModelCall("c2", "m", 41), "producer"));
        Assert.Equal([new JobEntry.CallRefused("c2", 41)], refused);
        Assert.True(full.HitBudget);

        var settled = Some.After(job, new JobFact.Settle("c1", new ModelUsage("m", 1, 1, 0, 0, 10, 200)));
        Assert.Equal((10L, 0L), (settled.Spent, settled.Reserved));
        Assert.Empty(Some.Tell(settled, new JobFact.Settle("c1", new ModelUsage("m", 1, 1, 0, 0, 10, 200))).Entries);
        Assert.IsType<JobEntry.CallReserved>(Assert.Single(Some.Tell(settled, new JobFact.Reserve(new ModelCall("c3", "m", 90), "producer")).Entries));
    }

    [Fact]
    public void Budget_IsOpenToTheRoleAtWorkOnly()
    {
        var call = new ModelCall("c1", "m", 1);

        Assert.Empty(Some.Tell(Some.Working(), new JobFact.Reserve(call, "validator")).Entries);
        Assert.Empty(Some.Tell(Some.InReview(), new JobFact.Reserve(call, "producer")).Entries);
        Assert.Empty(Some.Tell(Some.After(Some.Working(), new JobFact.CancelAsked("ann", "stop")), new JobFact.Reserve(call, "producer")).Entries);
    }

    [Fact]
    public void Budget_OfACallThatDiedWithItsProcessIsSettledAtItsBound()
    {
        var job = Some.After(Some.Working(), new JobFact.Reserve(new ModelCall("c1", "m", 60), "producer"));

        var again = Some.After(job, new JobFact.StepBegins(StepName.Work));

        Assert.Equal((60L, 0L, 2), (again.Spent, again.Reserved, again.Tries));
    }

    [Fact]
    public void Pause_ParksAndGoesOnWithAHigherLimitOrEndsWhenNobodyComes()
    {
        var paused = Some.After(Some.Working(), new JobFact.StepEnds(StepName.Work, new StepOutcome.Paused(WaitKind.Budget, "5 of 5 spent")));
        Assert.Equal((WaitKind.Budget, StepName.Park), (paused.Wait!.Kind, paused.Step));
        paused = Some.Did(paused, StepName.Park);
        Assert.NotNull(paused.Wait);
        Assert.Null(paused.Step);

        var goesOn = Some.After(paused, new JobFact.ContinueAsked("ann", null, 9_000_000));
        Assert.Equal((9_000_000L, null, StepName.Provision), (goesOn.BudgetLimit, goesOn.Wait, goesOn.Step));

        Assert.Empty(Some.Tell(paused, new JobFact.TimePassed()).Entries);
        var late = Some.Tell(paused, new JobFact.TimePassed(), Some.Now + JobPlan.WaitDeadline).Job;
        Assert.Equal((JobConclusion.NeedsHuman, "nobody answered in time: 5 of 5 spent"), (late.Conclusion, late.Reason));
    }

    [Fact]
    public void Answer_OpensTheRoundThatTheQuestionHeldUpAndCountsOnce()
    {
        Assert.Empty(Some.Tell(Some.Working(), new JobFact.AnswerGiven("blue", "ann")).Entries);
        var asked = Some.After(Some.Working(), new JobFact.Happened(new JobEntry.QuestionAsked("c1", "Which colour?", ["blue"])));
        var waiting = Some.After(asked, new JobFact.StepEnds(StepName.Work, new StepOutcome.Paused(WaitKind.Answer, "a question")));

        var answered = Some.After(waiting, new JobFact.AnswerGiven("blue", "ann"));

        Assert.Equal((2, RoundCause.Answered, "blue", null), (answered.Round, answered.Cause, answered.Answer, answered.Wait));
        Assert.Empty(Some.Tell(answered, new JobFact.AnswerGiven("red", "bob")).Entries);
    }

    [Fact]
    public void Decide_EndsEveryWayWithAReason()
    {
        for (var seed = 0; seed < 3_000; seed++)
        {
            var random = new Random(seed);
            var job = Some.Queued();
            for (var step = 0; step < 60; step++)
            {
                var (next, entries) = Some.Tell(job, RandomFact(random, job), Some.Now + TimeSpan.FromDays(step));
                Assert.Equal(job.Sequence + entries.Count, next.Sequence);
                job = next;
                Assert.True(job.Conclusion is null == (job.Phase != JobPhase.Done), $"seed {seed}: {job.Phase} with {job.Conclusion}");
                Assert.False(job.Conclusion is not null && string.IsNullOrWhiteSpace(job.Reason), $"seed {seed}: ended as {job.Conclusion} without a reason");
                Assert.True(job.Spent + job.Reserved <= job.BudgetLimit, $"seed {seed}: the budget is exceeded");
                Assert.False(job is { Conclusion: null, Step: null, Wait: null, Phase: not (JobPhase.Queued or JobPhase.InReview) }, $"seed {seed}: the job is stuck in {job.Phase}");
            }
        }
    }

    private static JobFact RandomFact(Random random, Job job)
    {
        var step = job.Step is { } due && random.Next(4) > 0 ? due : Enum.GetValues<StepName>()[random.Next(Enum.GetValues<StepName>().Length)];
        StepOutcome outcome = random.Next(8) switch
        {
            > 0 and < 4 when step is StepName.Park or StepName.Settle or StepName.Release => new StepOutcome.Succeeded(),
            0 => new StepOutcome.Broken("no answer", random.Next(2) == 0, null),
            1 => new StepOutcome.Paused(WaitKind.Budget, "spent"),
            2 => new StepOutcome.Revise(RoundCause.Findings, "no test"),
            3 => new StepOutcome.Rejected(JobConclusion.NeedsHuman, "look"),
            _ => new StepOutcome.Succeeded(),
        };
        return random.Next(16) switch
        {
            0 => new JobFact.CancelAsked("ann", "stop"),
            1 => new JobFact.FeedbackArrived([Some.Remark($"{random.Next(20)}", random.Next(2) == 0)]),
            2 => new JobFact.PullRequestChanged((PullRequestState)random.Next(4), "ann", "abc"),
            3 => new JobFact.ContinueAsked("ann", random.Next(2) == 0 ? "go" : null, null),
            4 => new JobFact.RetryAsked("ann"),
            5 => new JobFact.TimePassed(),
            6 => new JobFact.Reserve(new ModelCall($"c{random.Next(9)}", "m", random.Next(2_000_000)), job.Attempt == 0 ? "producer" : job.CurrentRole.Name),
            7 => new JobFact.Admit(),
            8 => new JobFact.AnswerGiven("blue", "ann"),
            9 => new JobFact.Settle($"c{random.Next(9)}", new ModelUsage("m", 1, 1, 0, 0, 0, 200)),
            < 13 => job.Step is { } next ? new JobFact.StepBegins(next) : new JobFact.Admit(),
            _ => new JobFact.StepEnds(step, outcome),
        };
    }
}
