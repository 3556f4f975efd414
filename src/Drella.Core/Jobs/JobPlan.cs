namespace Drella.Core.Jobs;

/// <summary>The order of the steps, their deadlines and the bounds of their retries. Pure tables.</summary>
public static class JobPlan
{
    /// <summary>Longest wait for a person before the job is concluded as needing one.</summary>
    public static readonly TimeSpan WaitDeadline = TimeSpan.FromDays(14);

    private static readonly TimeSpan FirstBackoff = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan LongestBackoff = TimeSpan.FromMinutes(10);

    /// <summary>Every step, in the order in which an attempt that meets no trouble runs them.</summary>
    public static IReadOnlyList<StepName> StepOrder { get; } = Enum.GetValues<StepName>();

    /// <summary>What comes after a step that succeeded; null when the job has nothing to run.</summary>
    public static StepName? After(Job job, StepName step) => step switch
    {
        StepName.Prepare => StepName.Provision,
        StepName.Provision => StepName.Work,
        StepName.Work => StepName.Harvest,
        StepName.Harvest => job.Request.Pipeline.Count > 1 ? StepName.Judge : StepName.Publish,
        StepName.Judge => job.Judge + 1 < job.Request.Pipeline.Count ? StepName.Judge : StepName.Publish,
        StepName.Publish => StepName.Answer,
        StepName.Answer => StepName.Park,
        StepName.Park => null,
        StepName.Settle => StepName.Release,
        StepName.Release => null,
        _ => throw new System.Diagnostics.UnreachableException(),
    };

    /// <summary>Where the job is while the step runs.</summary>
    public static JobPhase PhaseOf(Job job, StepName step) => step switch
    {
        StepName.Prepare or StepName.Provision => JobPhase.Provisioning,
        StepName.Work or StepName.Harvest => JobPhase.Working,
        StepName.Judge => JobPhase.Judging,
        StepName.Publish or StepName.Answer => JobPhase.Publishing,
        StepName.Park => job.Wait is null ? JobPhase.Publishing : job.Phase,
        _ => JobPhase.Done,
    };

    /// <summary>Longest that one try of the step may take.</summary>
    public static TimeSpan Deadline(Job job, StepName step) => step switch
    {
        StepName.Work or StepName.Judge => (job.CurrentRole.Timeout ?? job.Request.WorkTimeout) + TimeSpan.FromMinutes(2),
        StepName.Prepare or StepName.Provision => TimeSpan.FromMinutes(15),
        _ => TimeSpan.FromMinutes(10),
    };

    /// <summary>Most tries of the step in a row.</summary>
    public static int MaxTries(StepName step) => step switch
    {
        StepName.Work or StepName.Judge => 4,
        StepName.Settle or StepName.Publish or StepName.Answer => 12,
        _ => 6,
    };

    /// <summary>True for steps whose failure must not hold up the end of the job.</summary>
    public static bool CanBeAbandoned(StepName step) => step is StepName.Park or StepName.Settle or StepName.Release;

    /// <summary>True for steps that need one of the scarce places for sandboxes.</summary>
    public static bool NeedsSlot(StepName step) => step is not (StepName.Park or StepName.Settle or StepName.Release);

    /// <summary>Doubling, bounded.</summary>
    public static TimeSpan Backoff(int tries) =>
        TimeSpan.FromTicks(Math.Min(LongestBackoff.Ticks, FirstBackoff.Ticks << Math.Clamp(tries - 1, 0, 20)));
}
