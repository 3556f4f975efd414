using System.Diagnostics;
using Drella.Core.Forges;

namespace Drella.Core.Jobs;

/// <summary>
/// What becomes of a job when something happens: <c>Decide(job, fact) → entries</c>. Pure; the entries are journalled and folded by
/// <see cref="JobFold"/>, by the same code live and in replay.
/// </summary>
/// <remarks>
/// <code>
///  Queued ──admit──▶ Provisioning ──▶ Working ──▶ Judging ──▶ Publishing ──▶ InReview
///    ▲              (Prepare,          (Work,      (Judge per   (Publish,       │  │
///    │               Provision)         Harvest)    role)        Answer, Park)  │  │
///    │                   ▲                ▲ findings, refusals │                │  │
///    │                   │                └────────────────────┘                │  │
///    │                   └──────────── remarks of people, a human push ─────────┘  │
///    │                                                                             │
///    └── reopened ◀── Done (Settle, Release) ◀── merged, closed, cancelled, failed, needs a person
/// </code>
/// </remarks>
public static class JobMachine
{
    /// <summary>Says what the fact leads to; empty when it leads to nothing (a late or repeated fact).</summary>
    /// <param name="job">The job as folded so far.</param>
    /// <param name="fact">What happened.</param>
    /// <param name="now">Host time; used for deadlines only.</param>
    public static IReadOnlyList<JobEntry> Decide(Job job, JobFact fact, DateTimeOffset now)
    {
        var entries = Answer(job, fact, now).ToList();
        var after = entries.Aggregate(job, (state, entry) => JobFold.Apply(state, entry, now));
        entries.AddRange(FollowUps(after));
        return entries;
    }

    /// <summary>True when a step waits to be run now.</summary>
    public static bool IsRunnable(Job job, DateTimeOffset now) => job.Step is not null && (job.RetryAt is not { } at || at <= now);

    private static IEnumerable<JobEntry> Answer(Job job, JobFact fact, DateTimeOffset now) => fact switch
    {
        JobFact.Admit => Admit(job),
        JobFact.StepBegins f => job.Step == f.Step ? Begin(job, f.Step) : [],
        JobFact.StepEnds f => job.IsStepOpen && job.Step == f.Step ? End(job, f.Step, f.Outcome, now) : Observations(f.Outcome),
        JobFact.FeedbackArrived f => Receive(job, f.Rows),
        JobFact.PullRequestChanged f => Seen(job, f),
        JobFact.CancelAsked f => Cancel(job, f),
        JobFact.AnswerGiven f => TakeAnswer(job, f),
        JobFact.ContinueAsked f => Continue(job, f),
        JobFact.RetryAsked f => Retry(job, f),
        JobFact.Reserve f => Reserve(job, f),
        JobFact.Settle f => job.Reservations.ContainsKey(f.CallId) ? [Settled(f)] : [],
        JobFact.TimePassed => job.Wait is { } wait && wait.Deadline <= now
            ? [new JobEntry.Concluded(JobConclusion.NeedsHuman, $"nobody answered in time: {wait.Why}")]
            : [],
        JobFact.Happened f => [f.Entry],
        _ => throw new UnreachableException(),
    };

    private static IEnumerable<JobEntry> Admit(Job job)
    {
        if (job.Phase != JobPhase.Queued)
        {
            return [];
        }

        return job.Attempt > 0 && !job.IsReleased
            ? [new JobEntry.RoundOpened(job.Round + 1, RoundCause.Continued, job.CauseDetail)]
            : [new JobEntry.Admitted(job.Attempt + 1)];
    }

    private static IEnumerable<JobEntry> Begin(Job job, StepName step)
    {
        // A reservation that is still open when work begins belonged to a process that died: nobody knows what the call cost, so it cost its bound.
        var orphans = step is StepName.Work or StepName.Judge ? job.Reservations : [];
        return
        [
            .. orphans.OrderBy(call => call.Key, StringComparer.Ordinal).Select(call => new JobEntry.CallSettled(call.Key, "", 0, 0, 0, 0, call.Value, Status: 0)),
            new JobEntry.StepStarted(step, job.Tries + 1),
        ];
    }

    private static IEnumerable<JobEntry> Observations(StepOutcome outcome) =>
        outcome.Entries.Where(entry => entry is JobEntry.AgentEnded or JobEntry.PullRequestOpened or JobEntry.HeadPublished or JobEntry.FeedbackSettled);

    private static IEnumerable<JobEntry> End(Job job, StepName step, StepOutcome outcome, DateTimeOffset now)
    {
        IEnumerable<JobEntry> next = outcome switch
        {
            _ when job.Cancel is { } cancel && job.Conclusion is null => [new JobEntry.Concluded(JobConclusion.Cancelled, $"{cancel.Reason} (asked by {cancel.By})")],
            StepOutcome.Succeeded => [new JobEntry.StepSucceeded(step)],
            StepOutcome.Revise revise when job.RoundsUnwatched >= job.Request.MaxRounds =>
                [new JobEntry.Concluded(JobConclusion.NeedsHuman, $"no agreement after {job.RoundsUnwatched} rounds: {revise.Findings}")],
            StepOutcome.Revise revise => [new JobEntry.RoundOpened(job.Round + 1, revise.Cause, revise.Findings)],
            StepOutcome.Paused paused => [new JobEntry.WaitBegan(paused.Kind, paused.Why, now + JobPlan.WaitDeadline)],
            StepOutcome.Rejected rejected => [new JobEntry.Concluded(rejected.Conclusion, rejected.Reason)],
            StepOutcome.Broken broken => Broke(job, step, broken, now),
            _ => throw new UnreachableException(),
        };
        return outcome.Entries.Concat(next);
    }

    private static IEnumerable<JobEntry> Broke(Job job, StepName step, StepOutcome.Broken broken, DateTimeOffset now)
    {
        if (broken.IsTransient && job.Tries < JobPlan.MaxTries(step))
        {
            var pause = now + JobPlan.Backoff(job.Tries);
            return [new JobEntry.StepFailed(step, broken.Reason, broken.NotBefore > pause ? broken.NotBefore.Value : pause)];
        }

        if (JobPlan.CanBeAbandoned(step))
        {
            return [new JobEntry.StepAbandoned(step, broken.Reason)];
        }

        var tries = job.Tries > 1 ? $" (tried {job.Tries} times)" : "";
        return [new JobEntry.Concluded(JobConclusion.Failed, $"{step} failed{tries}: {broken.Reason}")];
    }

    private static IEnumerable<JobEntry> Receive(Job job, IReadOnlyList<FeedbackRow> rows)
    {
        var unseen = rows.Where(row => !job.Feedback.ContainsKey(row.Key)).DistinctBy(row => row.Key).ToList();
        return unseen.Count > 0 && job.Conclusion is null ? [new JobEntry.FeedbackReceived(unseen)] : [];
    }

    private static IEnumerable<JobEntry> Seen(Job job, JobFact.PullRequestChanged fact)
    {
        var seen = new JobEntry.PullRequestSeen(fact.State, fact.By, fact.MergeCommit);
        var by = fact.By is null ? "" : $" by {fact.By}";
        return fact.State switch
        {
            PullRequestState.Merged when job.Conclusion is not (JobConclusion.Merged or JobConclusion.Cancelled) =>
                [seen, new JobEntry.Concluded(JobConclusion.Merged, $"merged{by} as {fact.MergeCommit}")],
            PullRequestState.Closed when job.Conclusion is null =>
                [seen, new JobEntry.Concluded(JobConclusion.Closed, $"the pull request was closed{by} without a merge; 'drella job retry {job.Id}' starts over")],
            PullRequestState.Open or PullRequestState.Draft when job.Conclusion is JobConclusion.Closed =>
                [seen, new JobEntry.Reopened(fact.By ?? "forge", Fresh: job.IsReleased, "the pull request was opened again")],
            _ => [],
        };
    }

    private static IEnumerable<JobEntry> Cancel(Job job, JobFact.CancelAsked fact)
    {
        var asked = new JobEntry.CancelRequested(fact.By, fact.Reason);
        var cancelled = new JobEntry.Concluded(JobConclusion.Cancelled, $"{fact.Reason} (asked by {fact.By})");
        return job switch
        {
            // What waits for a person is given up by one: its pull request must not stay open beside the next.
            { Conclusion: JobConclusion.NeedsHuman or JobConclusion.Failed } => [asked, cancelled],
            { Conclusion: not null } or { Cancel: not null } => [],
            { IsStepOpen: true } => [asked],
            _ => [asked, cancelled],
        };
    }

    private static IEnumerable<JobEntry> TakeAnswer(Job job, JobFact.AnswerGiven fact)
    {
        var answered = new JobEntry.QuestionAnswered(fact.Answer, fact.By);
        return job switch
        {
            { Question: null } or { Answer: not null } => [],
            { Wait.Kind: WaitKind.Answer } => [answered, new JobEntry.WaitEnded(WaitKind.Answer), new JobEntry.RoundOpened(job.Round + 1, RoundCause.Answered, fact.Answer)],
            { Conclusion: JobConclusion.NeedsHuman } => [answered, new JobEntry.Reopened(fact.By, Fresh: job.IsReleased, fact.Answer)],
            _ => [answered],
        };
    }

    private static IEnumerable<JobEntry> Continue(Job job, JobFact.ContinueAsked fact)
    {
        IEnumerable<JobEntry> raised = fact.NewLimit is { } limit && limit > job.BudgetLimit ? [new JobEntry.BudgetRaised(limit, fact.By)] : [];
        return job switch
        {
            { Wait: { } wait } => [.. raised, new JobEntry.WaitEnded(wait.Kind), new JobEntry.RoundOpened(job.Round + 1, RoundCause.Continued, fact.Note)],
            { Conclusion: JobConclusion.NeedsHuman or JobConclusion.Failed } => [.. raised, new JobEntry.Reopened(fact.By, Fresh: job.IsReleased, fact.Note)],
            { Phase: JobPhase.InReview, Step: null } when fact.Note is not null => [.. raised, new JobEntry.RoundOpened(job.Round + 1, RoundCause.Continued, fact.Note)],
            _ => raised,
        };
    }

    private static IEnumerable<JobEntry> Retry(Job job, JobFact.RetryAsked fact)
    {
        var reopened = new JobEntry.Reopened(fact.By, Fresh: true, null);
        return job switch
        {
            { Conclusion: null or JobConclusion.Merged } => [],
            // The one that was closed would end the job again at the next look.
            { Conclusion: JobConclusion.Closed or JobConclusion.Cancelled, PullRequest: { } link } => [new JobEntry.PullRequestLeft(link.Number), reopened],
            _ => [reopened],
        };
    }

    private static IEnumerable<JobEntry> Reserve(Job job, JobFact.Reserve fact)
    {
        var atWork = job is { IsStepOpen: true, Step: StepName.Work or StepName.Judge, Cancel: null, Conclusion: null } && job.CurrentRole.Name == fact.Role;
        if (!atWork || job.Reservations.ContainsKey(fact.Call.CallId))
        {
            return [];
        }

        return job.Spent + job.Reserved + fact.Call.MaxCost > job.BudgetLimit
            ? [new JobEntry.CallRefused(fact.Call.CallId, fact.Call.MaxCost)]
            : [new JobEntry.CallReserved(fact.Call.CallId, fact.Role, fact.Call.Model, fact.Call.MaxCost)];
    }

    private static JobEntry.CallSettled Settled(JobFact.Settle fact) => new(
        fact.CallId, fact.Usage.Model, fact.Usage.Input, fact.Usage.Output, fact.Usage.CacheRead, fact.Usage.CacheWrite, fact.Usage.Cost, fact.Usage.Status);

    /// <summary>What the new state asks for by itself: remarks that lie waiting open a round as soon as the job rests.</summary>
    private static IEnumerable<JobEntry> FollowUps(Job job)
    {
        if (job is not { Phase: JobPhase.InReview, Step: null, Conclusion: null, Wait: null })
        {
            return [];
        }

        var open = job.OpenFeedback.OrderBy(row => row.Order).ToList();
        var noted = open.Where(row => !row.Row.NeedsWork).Select(row => new JobEntry.FeedbackSettled(row.Row.Key, Disposition.Noted, null));
        var work = open.Where(row => row.Row.NeedsWork).Select(row => row.Row.Key).ToList();
        return work.Count == 0 ? noted : [.. noted, new JobEntry.RoundOpened(job.Round + 1, RoundCause.Feedback, null), new JobEntry.FeedbackTaken(work)];
    }
}
