using Drella.Core.Budgets;
using Drella.Core.Forges;

namespace Drella.Core.Jobs;

/// <summary>Something that the world (or a person) tells a job. <see cref="JobMachine.Decide"/> says what comes of it. Closed hierarchy.</summary>
public abstract record JobFact
{
    private JobFact()
    {
    }

    public sealed record Admit : JobFact;

    public sealed record StepBegins(StepName Step) : JobFact;

    public sealed record StepEnds(StepName Step, StepOutcome Outcome) : JobFact;

    public sealed record FeedbackArrived(IReadOnlyList<FeedbackRow> Rows) : JobFact;

    public sealed record PullRequestChanged(PullRequestState State, string? By, string? MergeCommit) : JobFact;

    public sealed record CancelAsked(string By, string Reason) : JobFact;

    public sealed record AnswerGiven(string Answer, string By) : JobFact;

    /// <summary>Go on: after a pause, or after an end that left something to do.</summary>
    public sealed record ContinueAsked(string By, string? Note, long? NewLimit) : JobFact;

    public sealed record RetryAsked(string By) : JobFact;

    public sealed record Reserve(ModelCall Call, string Role) : JobFact;

    public sealed record Settle(string CallId, ModelUsage Usage) : JobFact;

    public sealed record TimePassed : JobFact;

    /// <summary>A plain record with no decision in it: audit lines, progress, proposals.</summary>
    public sealed record Happened(JobEntry Entry) : JobFact;
}

/// <summary>How a step ended. A <see cref="DriverException"/> that a step lets fly becomes <see cref="Broken"/>.</summary>
public abstract record StepOutcome
{
    private StepOutcome()
    {
    }

    /// <summary>What the step found out or did, to be kept in the order given.</summary>
    public IReadOnlyList<JobEntry> Entries { get; init; } = [];

    public sealed record Succeeded : StepOutcome;

    /// <summary>The work is not good yet: the producer goes on with these findings.</summary>
    public sealed record Revise(RoundCause Cause, string Findings) : StepOutcome;

    /// <summary>The step could not be run to its end, and this is what is known of it.</summary>
    public sealed record Broken(string Reason, bool IsTransient, DateTimeOffset? NotBefore) : StepOutcome;

    /// <summary>Somebody has to act before the same step can go on.</summary>
    public sealed record Paused(WaitKind Kind, string Why) : StepOutcome;

    /// <summary>It ends here.</summary>
    public sealed record Rejected(JobConclusion Conclusion, string Reason) : StepOutcome;
}
