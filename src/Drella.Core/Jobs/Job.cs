using System.Collections.Immutable;

namespace Drella.Core.Jobs;

/// <summary>
/// The state of a job: a fold of its journal stream and of nothing else. Immutable.
/// </summary>
public sealed record Job
{
    public required JobId Id { get; init; }

    public required JobRequest Request { get; init; }

    public required DateTimeOffset OpenedAt { get; init; }

    /// <summary>Sequence of the last entry folded in.</summary>
    public long Sequence { get; init; }

    public DateTimeOffset ChangedAt { get; init; }

    public JobPhase Phase { get; init; } = JobPhase.Queued;

    public JobConclusion? Conclusion { get; init; }

    /// <summary>Why it ended so, or why it waits; for people.</summary>
    public string? Reason { get; init; }

    public int Attempt { get; init; }

    public int Round { get; init; }

    public RoundCause Cause { get; init; }

    /// <summary>What opened the round, such as findings or a refusal, for the agent.</summary>
    public string? CauseDetail { get; init; }

    /// <summary>Rounds since a person last had a say; capped.</summary>
    public int RoundsUnwatched { get; init; }

    /// <summary>The step to run next, or running; null when there is nothing to run.</summary>
    public StepName? Step { get; init; }

    /// <summary>Starts of the current step that have not succeeded.</summary>
    public int Tries { get; init; }

    /// <summary>True between a step's start and its end: after a restart its effects may exist.</summary>
    public bool IsStepOpen { get; init; }

    public DateTimeOffset? RetryAt { get; init; }

    /// <summary>Place of the judging role that is next, from 1; the producer is 0.</summary>
    public int Judge { get; init; } = 1;

    public string? BaseCommit { get; init; }

    public string? Sandbox { get; init; }

    /// <summary>Who made <see cref="Sandbox"/>.</summary>
    public string? SandboxProvider { get; init; }

    /// <summary>Last commit that left the guest and passed the policy.</summary>
    public string? GuestHead { get; init; }

    /// <summary>The guest's commit that <see cref="Published"/> stands for.</summary>
    public string? GuestBase { get; init; }

    /// <summary>Head of the pull request's branch as we last pushed or took it over.</summary>
    public string? Published { get; init; }

    /// <summary>Head of the branch when the round's work began: a fix of this round is a commit behind it.</summary>
    public string? RoundHead { get; init; }

    public PullRequestLink? PullRequest { get; init; }

    public bool IsReady { get; init; }

    public JobEntry.Proposed? Proposal { get; init; }

    /// <summary>Agent sessions begun in this attempt, by role.</summary>
    public ImmutableDictionary<string, string> Sessions { get; init; } = ImmutableDictionary<string, string>.Empty;

    public JobEntry.AgentEnded? LastRun { get; init; }

    /// <summary>Every transcript, in order.</summary>
    public ImmutableList<JobEntry.AgentStarted> Transcripts { get; init; } = [];

    /// <summary>Verdicts of the round.</summary>
    public ImmutableList<JobEntry.VerdictGiven> Verdicts { get; init; } = [];

    public ImmutableDictionary<string, Feedback> Feedback { get; init; } = ImmutableDictionary<string, Feedback>.Empty;

    public Wait? Wait { get; init; }

    public JobEntry.QuestionAsked? Question { get; init; }

    public string? Answer { get; init; }

    public required long BudgetLimit { get; init; }

    public long Spent { get; init; }

    /// <summary>Model calls under way: id and reserved amount.</summary>
    public ImmutableDictionary<string, long> Reservations { get; init; } = ImmutableDictionary<string, long>.Empty;

    /// <summary>The ledger refused a call since the last work began.</summary>
    public bool HitBudget { get; init; }

    /// <summary>Answers to tool calls, by call id, of the current attempt.</summary>
    public ImmutableDictionary<string, JobEntry.ToolAnswered> ToolAnswers { get; init; } = ImmutableDictionary<string, JobEntry.ToolAnswered>.Empty;

    public ImmutableDictionary<string, int> ToolCounts { get; init; } = ImmutableDictionary<string, int>.Empty;

    public JobEntry.ProgressReported? Progress { get; init; }

    public string? StatusDigest { get; init; }

    public JobEntry.CancelRequested? Cancel { get; init; }

    public bool IsReleased { get; init; }

    public long Reserved => Reservations.Values.Sum();

    public RoleSnapshot Producer => Request.Pipeline[0];

    /// <summary>Who is at work: valid while the Work or Judge step is open.</summary>
    public RoleSnapshot CurrentRole => Step == StepName.Judge ? Request.Pipeline[Math.Min(Judge, Request.Pipeline.Count - 1)] : Producer;

    public Assignment Assignment => new(Id, Attempt, Round, CurrentRole.Name);

    public IEnumerable<Feedback> OpenFeedback => Feedback.Values.Where(row => row.Disposition is null);

    /// <summary>Rows that the current round is to answer, in order of arrival.</summary>
    public IEnumerable<Feedback> TakenFeedback => OpenFeedback.Where(row => row.IsTaken).OrderBy(row => row.Order);
}

public sealed record PullRequestLink(int Number, string Url, string Branch);

/// <summary>A remark and what became of it.</summary>
public sealed record Feedback(FeedbackRow Row, int Order, bool IsTaken)
{
    public JobEntry.ReplyProposed? Reply { get; init; }

    public Disposition? Disposition { get; init; }

    public string? Commit { get; init; }
}

public sealed record Wait(WaitKind Kind, string Why, DateTimeOffset Deadline);
