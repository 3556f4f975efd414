using System.Text.Json.Serialization;
using Drella.Core.Agents;
using Drella.Core.Forges;

namespace Drella.Core.Jobs;

/// <summary>
/// What happened to a job; the journal keeps nothing else of it. Closed hierarchy. The kind under which a case is stored stands in
/// <see cref="JobEntryCodec"/>; a case's shape changes only by a new version there.
/// </summary>
public abstract record JobEntry
{
    private JobEntry()
    {
    }

    public sealed record Opened(JobRequest Request) : JobEntry;

    /// <summary>The queue let it in. A new attempt begins with a clean sandbox.</summary>
    public sealed record Admitted(int Attempt) : JobEntry;

    /// <summary>The intent: from here on the step's effects may exist.</summary>
    public sealed record StepStarted(StepName Step, int Try) : JobEntry;

    public sealed record StepSucceeded(StepName Step) : JobEntry;

    /// <summary>The world failed; the step is tried again not before <paramref name="RetryAt"/>.</summary>
    public sealed record StepFailed(StepName Step, string Reason, DateTimeOffset RetryAt) : JobEntry;

    /// <summary>Tried often enough: the job goes on without it, and a sweep makes up for it.</summary>
    public sealed record StepAbandoned(StepName Step, string Reason) : JobEntry;

    public sealed record BaseResolved(string Commit) : JobEntry;

    public sealed record SandboxReady(string Sandbox, string Provider) : JobEntry;

    /// <summary>The guest's branch stands on this published commit now.</summary>
    public sealed record WorkspaceSynced(string Commit) : JobEntry;

    public sealed record AgentStarted(string Role, string Session, string Transcript) : JobEntry;

    public sealed record AgentEnded(string Role, AgentOutcome Outcome, string Text, string Detail, long TranscriptBytes, string TranscriptDigest) : JobEntry;

    public sealed record Harvested(string Head, int Commits, int Files, IReadOnlyList<string> Flags) : JobEntry;

    public sealed record Proposed(string Title, string Body, IReadOnlyList<RequirementClaim> Requirements) : JobEntry;

    public sealed record HeadPublished(string Commit, string GuestHead) : JobEntry;

    public sealed record PullRequestOpened(int Number, string Url, string Branch) : JobEntry;

    public sealed record ReadyMarked : JobEntry;

    public sealed record VerdictGiven(string Role, bool Passed, string Summary, IReadOnlyList<Finding> Findings) : JobEntry;

    public sealed record RoundOpened(int Round, RoundCause Cause, string? Detail) : JobEntry;

    public sealed record FeedbackReceived(IReadOnlyList<FeedbackRow> Rows) : JobEntry;

    /// <summary>The round that now begins answers these.</summary>
    public sealed record FeedbackTaken(IReadOnlyList<string> Keys) : JobEntry;

    public sealed record ReplyProposed(string Key, string Body, Disposition Disposition) : JobEntry;

    public sealed record FeedbackSettled(string Key, Disposition Disposition, string? Commit) : JobEntry;

    public sealed record PullRequestSeen(PullRequestState State, string? By, string? MergeCommit) : JobEntry;

    /// <summary>People closed it and asked for the work again: the next one is another.</summary>
    public sealed record PullRequestLeft(int Number) : JobEntry;

    public sealed record CallReserved(string CallId, string Role, string Model, long Amount) : JobEntry;

    /// <summary>The budget does not hold the call.</summary>
    public sealed record CallRefused(string CallId, long Amount) : JobEntry;

    public sealed record CallSettled(string CallId, string Model, long Input, long Output, long CacheRead, long CacheWrite, long Cost, int Status) : JobEntry;

    public sealed record BudgetRaised(long Limit, string By) : JobEntry;

    public sealed record WaitBegan(WaitKind Kind, string Why, DateTimeOffset Deadline) : JobEntry;

    public sealed record WaitEnded(WaitKind Kind) : JobEntry;

    public sealed record QuestionAsked(string CallId, string Question, IReadOnlyList<string> Options) : JobEntry;

    public sealed record QuestionAnswered(string Answer, string By) : JobEntry;

    public sealed record ProgressReported(string Text, int? Percent) : JobEntry;

    public sealed record ToolRequested(string CallId, string Role, string Tool, string Arguments) : JobEntry;

    public sealed record ToolAnswered(string CallId, string Tool, bool IsError, string Text) : JobEntry;

    public sealed record DoorUsed(string Door, string Target, bool Allowed, string Rule) : JobEntry;

    public sealed record StatusReported(string Digest) : JobEntry;

    public sealed record Steered(string Text, string By) : JobEntry;

    public sealed record CancelRequested(string By, string Reason) : JobEntry;

    public sealed record Concluded(JobConclusion Conclusion, string Reason) : JobEntry;

    /// <summary>A person put an ended job back to work; with <paramref name="Fresh"/> from a clean sandbox.</summary>
    public sealed record Reopened(string By, bool Fresh, string? Note) : JobEntry;

    public sealed record SandboxReleased(bool Kept) : JobEntry;

    /// <summary>A person looks around in the sandbox: what is in it from now on may be theirs. No command is a terminal.</summary>
    public sealed record SandboxEntered(string Sandbox, string By, string? Command) : JobEntry;
}

/// <summary>What the agent says of one requirement. A claim, not evidence.</summary>
public sealed record RequirementClaim(string Id, string Status, string Evidence);

/// <summary>One defect that a judge found.</summary>
public sealed record Finding(Severity Severity, string Title, string Evidence, string? Path, int? Line);

[JsonConverter(typeof(JsonStringEnumConverter<Severity>))]
public enum Severity
{
    Minor,
    Major,
    Blocking,
}

/// <summary>One remark of a person on the pull request. Keyed by forge, kind and id; settled exactly once.</summary>
public sealed record FeedbackRow
{
    public required string Key { get; init; }

    public required RemarkKind Kind { get; init; }

    public required string Id { get; init; }

    public required string Author { get; init; }

    public required string Body { get; init; }

    public ReviewVerdict? Verdict { get; init; }

    public string? ThreadId { get; init; }

    public string? Path { get; init; }

    public int? Line { get; init; }

    public string? Hunk { get; init; }

    /// <summary>False when there is nothing to do about it, such as an approval.</summary>
    public required bool NeedsWork { get; init; }
}

/// <summary>What became of a remark.</summary>
public enum Disposition
{
    Fixed,
    Answered,
    Declined,
    Deferred,

    /// <summary>Taken note of; nothing was asked.</summary>
    Noted,
}
