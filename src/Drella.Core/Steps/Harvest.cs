using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Sandboxes;

namespace Drella.Core.Steps;

/// <summary>Takes the commits out and holds them against the policy.</summary>
internal sealed class Harvest(Floor floor, Harvester harvester) : IStep
{
    public StepName Name => StepName.Harvest;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var sandbox = await floor.EnsureAsync(live.Job, isRestart: live.Job.Tries > 1, cancellationToken);
        return await harvester.HarvestAsync(live, sandbox, cancellationToken) switch
        {
            HarvestResult.Taken taken => new StepOutcome.Succeeded { Entries = [taken.Entry] },
            HarvestResult.Refused refused => new StepOutcome.Revise(RoundCause.Refused, refused.Why),
            HarvestResult.Nothing { HasUncommittedWork: true } => new StepOutcome.Revise(
                RoundCause.Refused, "There are changes in the workspace that are not committed. Commit what belongs to the change, and remove the rest."),
            HarvestResult.Nothing when live.Job.GuestHead == live.Job.BaseCommit => new StepOutcome.Revise(
                RoundCause.Refused, "You ended without a commit. Do what the spec asks and commit it; or, if it cannot be done, ask with the ask_human tool."),
            HarvestResult.Nothing => new StepOutcome.Succeeded(),
            _ => throw new System.Diagnostics.UnreachableException(),
        };
    }
}
