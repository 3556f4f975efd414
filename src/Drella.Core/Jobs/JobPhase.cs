namespace Drella.Core.Jobs;

/// <summary>Where a job is. How it ended is <see cref="JobConclusion"/>.</summary>
public enum JobPhase
{
    Queued,
    Provisioning,
    Working,
    Judging,
    Publishing,
    InReview,
    Done,
}

/// <summary>How a job ended; always with a reason that a person can act on.</summary>
public enum JobConclusion
{
    Merged,
    Closed,
    Failed,
    Cancelled,
    NeedsHuman,
}

/// <summary>One idempotent stage of an attempt. The order is <see cref="JobPlan"/>'s.</summary>
public enum StepName
{
    /// <summary>Fetches the base and makes sure that the repository is one we may change.</summary>
    Prepare,

    /// <summary>Has a running sandbox with the workspace in it.</summary>
    Provision,

    /// <summary>Lets the producing role's agent work until it stops.</summary>
    Work,

    /// <summary>Takes the commits out and holds them against the policy.</summary>
    Harvest,

    /// <summary>Lets a judging role look and give its verdict.</summary>
    Judge,

    /// <summary>Pushes, and has the pull request say what is so.</summary>
    Publish,

    /// <summary>Answers every remark that the round took up.</summary>
    Answer,

    /// <summary>Stops the sandbox while people look.</summary>
    Park,

    /// <summary>Tells the source how it ended.</summary>
    Settle,

    /// <summary>Gives the sandbox back.</summary>
    Release,
}

/// <summary>Why a round was opened.</summary>
public enum RoundCause
{
    Spec,
    Findings,
    Feedback,
    Refused,
    HumanPush,
    Answered,
    Continued,
}

/// <summary>What a job waits for besides reviews.</summary>
public enum WaitKind
{
    /// <summary>For somebody to raise the budget.</summary>
    Budget,

    /// <summary>For the answer to a question that the agent asked.</summary>
    Answer,
}
