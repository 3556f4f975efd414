using System.Diagnostics;

namespace Drella.Core.Jobs;

/// <summary>Folds entries into a job: <c>Apply(job, entry) → job</c>. Pure and total: a prefix of a stream is always a job.</summary>
public static class JobFold
{
    /// <summary>Begins a fold. Null when the entry opens nothing.</summary>
    public static Job? Open(JobId id, JobEntry entry, DateTimeOffset at) => entry is JobEntry.Opened opened
        ? new Job { Id = id, Request = opened.Request, OpenedAt = at, ChangedAt = at, BudgetLimit = opened.Request.Budget, Sequence = 1 }
        : null;

    /// <summary>Folds one entry in.</summary>
    public static Job Apply(Job job, JobEntry entry, DateTimeOffset at) =>
        Change(job, entry) with { Sequence = job.Sequence + 1, ChangedAt = at };

    private static Job Change(Job job, JobEntry entry) => entry switch
    {
        JobEntry.Opened => job,
        JobEntry.Admitted e => job with
        {
            Attempt = e.Attempt, Round = job.Round + 1, RoundsUnwatched = 1, Phase = JobPhase.Provisioning, Step = StepName.Prepare, Tries = 0,
            IsStepOpen = false, RetryAt = null, Judge = 1, Verdicts = [], Sandbox = null, GuestHead = null, GuestBase = null, Sessions = job.Sessions.Clear(),
            ToolAnswers = job.ToolAnswers.Clear(), ToolCounts = job.ToolCounts.Clear(), IsReleased = false, HitBudget = false, Reason = null,
        },
        JobEntry.StepStarted e => job with
        {
            Step = e.Step, Tries = e.Try, IsStepOpen = true, RetryAt = null, Phase = JobPlan.PhaseOf(job, e.Step),
            HitBudget = job.HitBudget && e.Step is not (StepName.Work or StepName.Judge),
        },
        JobEntry.StepSucceeded e => Advance(job, e.Step),
        JobEntry.StepAbandoned e => Advance(job, e.Step),
        JobEntry.StepFailed e => job with { IsStepOpen = false, RetryAt = e.RetryAt, Reason = e.Reason },
        JobEntry.BaseResolved e => job with { BaseCommit = e.Commit },
        JobEntry.SandboxReady e => job with { Sandbox = e.Sandbox, SandboxProvider = e.Provider },
        JobEntry.WorkspaceSynced e => job with { GuestBase = e.Commit, GuestHead = e.Commit, RoundHead = e.Commit },
        JobEntry.AgentStarted e => job with { Sessions = job.Sessions.SetItem(e.Role, e.Session), Transcripts = job.Transcripts.Add(e) },
        JobEntry.AgentEnded e => job with { LastRun = e },
        JobEntry.Harvested e => job with { GuestHead = e.Head },
        JobEntry.Proposed e => job with { Proposal = e },
        JobEntry.HeadPublished e => job with { Published = e.Commit, GuestBase = e.GuestHead },
        JobEntry.PullRequestOpened e => job with { PullRequest = new PullRequestLink(e.Number, e.Url, e.Branch), IsReady = false },
        JobEntry.PullRequestLeft => job with { PullRequest = null, IsReady = false },
        JobEntry.ReadyMarked => job with { IsReady = true },
        JobEntry.VerdictGiven e => job with { Verdicts = job.Verdicts.RemoveAll(v => v.Role == e.Role).Add(e) },
        JobEntry.RoundOpened e => job with
        {
            Round = e.Round, Cause = e.Cause, CauseDetail = e.Detail, IsStepOpen = false, Tries = 0, RetryAt = null, Judge = 1, Verdicts = [],
            Phase = JobPhase.Working, Reason = null, Wait = null,
            RoundHead = e.Cause is RoundCause.Findings or RoundCause.Refused ? job.RoundHead : job.Published,
            Step = e.Cause is RoundCause.Findings or RoundCause.Refused ? StepName.Work : StepName.Provision,
            RoundsUnwatched = e.Cause is RoundCause.Findings or RoundCause.Refused or RoundCause.HumanPush ? job.RoundsUnwatched + 1 : 1,
        },
        JobEntry.FeedbackReceived e => job with { Feedback = e.Rows.Aggregate(job.Feedback, (rows, row) => rows.TryAdd(row, job.Feedback.Count)) },
        JobEntry.FeedbackTaken e => job with { Feedback = e.Keys.Aggregate(job.Feedback, (rows, key) => rows.Update(key, row => row with { IsTaken = true })) },
        JobEntry.ReplyProposed e => job with { Feedback = job.Feedback.Update(e.Key, row => row with { Reply = e }) },
        JobEntry.FeedbackSettled e => job with
        {
            Feedback = job.Feedback.Update(e.Key, row => row with { Disposition = e.Disposition, Commit = e.Commit }),
        },
        JobEntry.CallReserved e => job with { Reservations = job.Reservations.SetItem(e.CallId, e.Amount) },
        JobEntry.CallRefused => job with { HitBudget = true },
        JobEntry.CallSettled e => job with { Reservations = job.Reservations.Remove(e.CallId), Spent = job.Spent + e.Cost },
        JobEntry.BudgetRaised e => job with { BudgetLimit = e.Limit },
        JobEntry.WaitBegan e => job with
        {
            Wait = new Wait(e.Kind, e.Why, e.Deadline), Reason = e.Why, Step = StepName.Park, IsStepOpen = false, Tries = 0, RetryAt = null,
        },
        JobEntry.WaitEnded => job with { Wait = null, Reason = null, Question = StillAsked(job) },
        JobEntry.QuestionAsked e => job with { Question = e, Answer = null },
        JobEntry.QuestionAnswered e => job with { Answer = e.Answer },
        JobEntry.ProgressReported e => job with { Progress = e },
        JobEntry.ToolRequested e => job with { ToolCounts = job.ToolCounts.SetItem(e.Tool, job.ToolCounts.GetValueOrDefault(e.Tool) + 1) },
        JobEntry.ToolAnswered e => job with { ToolAnswers = job.ToolAnswers.SetItem(e.CallId, e) },
        JobEntry.StatusReported e => job with { StatusDigest = e.Digest },
        JobEntry.CancelRequested e => job with { Cancel = e },
        JobEntry.Concluded e => job with
        {
            Conclusion = e.Conclusion, Reason = e.Reason, Phase = JobPhase.Done, Step = StepName.Settle, IsStepOpen = false, Tries = 0, RetryAt = null, Wait = null,
        },
        JobEntry.Reopened e => job with
        {
            Conclusion = null, Reason = e.Note, Cancel = null, Phase = JobPhase.Queued, Step = null, IsStepOpen = false, Tries = 0, RetryAt = null,
            Wait = null, CauseDetail = e.Note, Cause = RoundCause.Continued, IsReleased = job.IsReleased || e.Fresh, Question = StillAsked(job),
        },
        JobEntry.SandboxReleased e => job with { IsReleased = !e.Kept, Sandbox = e.Kept ? job.Sandbox : null },
        JobEntry.PullRequestSeen or JobEntry.DoorUsed or JobEntry.Steered or JobEntry.SandboxEntered => job,
        _ => throw new UnreachableException(entry.GetType().Name),
    };

    // Who lets the agent go on without an answer has dropped the question: it must not stop the next round.
    private static JobEntry.QuestionAsked? StillAsked(Job job) => job.Answer is null ? null : job.Question;

    private static Job Advance(Job job, StepName step)
    {
        var next = JobPlan.After(job, step);
        return job with
        {
            Step = next,
            IsStepOpen = false,
            Tries = 0,
            RetryAt = null,
            Reason = job.Conclusion is null && job.Wait is null ? null : job.Reason,
            Judge = step == StepName.Judge ? job.Judge + 1 : job.Judge,
            Phase = next is null && job.Conclusion is null && job.Wait is null ? JobPhase.InReview : job.Phase,
        };
    }
}

file static class FeedbackRows
{
    public static System.Collections.Immutable.ImmutableDictionary<string, Feedback> TryAdd(
        this System.Collections.Immutable.ImmutableDictionary<string, Feedback> rows, FeedbackRow row, int order) =>
        rows.ContainsKey(row.Key) ? rows : rows.Add(row.Key, new Feedback(row, order + rows.Count, IsTaken: false));

    public static System.Collections.Immutable.ImmutableDictionary<string, Feedback> Update(
        this System.Collections.Immutable.ImmutableDictionary<string, Feedback> rows, string key, Func<Feedback, Feedback> change) =>
        rows.TryGetValue(key, out var row) ? rows.SetItem(key, change(row)) : rows;
}
