using Drella.Core.Agents;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Journal;

namespace Drella.Core.Tests.Jobs;

/// <summary>One entry of every kind, every member set.</summary>
internal static class SomeEntries
{
    public static IReadOnlyList<JobEntry> OfEveryKind { get; } =
    [
        new JobEntry.Opened(Some.Request() with { DependsOn = ["builtin:team/tasks:spec:first"], Waivers = ["docs/**"], AllowedHosts = ["a.example"] }),
        new JobEntry.Admitted(2),
        new JobEntry.StepStarted(StepName.Work, 3),
        new JobEntry.StepSucceeded(StepName.Harvest),
        new JobEntry.StepFailed(StepName.Publish, "no answer", Some.Now),
        new JobEntry.StepAbandoned(StepName.Park, "gone"),
        new JobEntry.BaseResolved("b1"),
        new JobEntry.SandboxReady("j1-1", "bubblewrap"),
        new JobEntry.WorkspaceSynced("c1"),
        new JobEntry.AgentStarted("producer", "s1", "job/j1/transcript/1"),
        new JobEntry.AgentEnded("producer", AgentOutcome.Completed, "done", "exit 0", 12, "d1"),
        new JobEntry.Harvested("h1", 2, 3, ["tests-changed"]),
        new JobEntry.Proposed("Title", "Body", [new RequirementClaim("1", "met", "test X")]),
        new JobEntry.HeadPublished("p1", "h1"),
        new JobEntry.PullRequestOpened(3, "http://forge/pull/3", "drella/x"),
        new JobEntry.ReadyMarked(),
        new JobEntry.VerdictGiven("validator", false, "no test", [new Finding(Severity.Blocking, "no test", "ran it", "a.cs", 4)]),
        new JobEntry.RoundOpened(2, RoundCause.Feedback, "detail"),
        new JobEntry.FeedbackReceived([Some.Remark("1") with { Kind = RemarkKind.Inline, Verdict = ReviewVerdict.RequestChanges, ThreadId = "t", Path = "a.cs", Line = 4, Hunk = "@@" }]),
        new JobEntry.FeedbackTaken(["builtin:comment:1"]),
        new JobEntry.ReplyProposed("builtin:comment:1", "Done.", Disposition.Fixed),
        new JobEntry.FeedbackSettled("builtin:comment:1", Disposition.Declined, "c2"),
        new JobEntry.PullRequestSeen(PullRequestState.Merged, "ann", "m1"),
        new JobEntry.CallReserved("c1", "producer", "m", 60),
        new JobEntry.CallRefused("c2", 61),
        new JobEntry.CallSettled("c1", "m", 1, 2, 3, 4, 5, 200),
        new JobEntry.BudgetRaised(9_000_000, "ann"),
        new JobEntry.WaitBegan(WaitKind.Answer, "a question", Some.Now),
        new JobEntry.WaitEnded(WaitKind.Budget),
        new JobEntry.QuestionAsked("c3", "Which?", ["blue", "red"]),
        new JobEntry.QuestionAnswered("blue", "ann"),
        new JobEntry.ProgressReported("half way", 50),
        new JobEntry.ToolRequested("c4", "producer", "open_pr", "{\"title\":\"<b>&'é\"}"),
        new JobEntry.ToolAnswered("c4", "open_pr", true, "refused"),
        new JobEntry.DoorUsed("egress", "a.example:443", false, "not allowed"),
        new JobEntry.StatusReported("d2"),
        new JobEntry.Steered("faster", "ann"),
        new JobEntry.CancelRequested("ann", "stop"),
        new JobEntry.Concluded(JobConclusion.NeedsHuman, "look"),
        new JobEntry.Reopened("ann", true, "again"),
        new JobEntry.SandboxReleased(true),
        new JobEntry.SandboxEntered("j1-1", "ann", "ls"),
        new JobEntry.PullRequestLeft(3),
    ];

    /// <summary>The entry as it comes back from the journal.</summary>
    public static JobEntry ReadBack(JobEntry entry, long sequence = 1)
    {
        var kept = JobEntryCodec.Encode(entry);
        return JobEntryCodec.Decode(new Entry(new StreamId("job/j000000000000"), sequence, Some.Now, kept.Kind, kept.Version, kept.Payload, default, default));
    }
}
