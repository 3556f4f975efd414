using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Core.Steps;

/// <summary>Gives the sandbox back. That of a job which went wrong is stopped and kept for a bounded time, for a look.</summary>
internal sealed class Release(Floor floor) : IStep
{
    public StepName Name => StepName.Release;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var keep = live.Job is { Conclusion: JobConclusion.Failed or JobConclusion.NeedsHuman, Sandbox: not null };
        await (keep ? floor.StopAsync(live.Job, cancellationToken) : floor.DestroyAsync(live.Job, cancellationToken));
        return new StepOutcome.Succeeded { Entries = [new JobEntry.SandboxReleased(keep)] };
    }
}
