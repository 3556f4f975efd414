using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Core.Steps;

/// <summary>Stops the sandbox while people look; its disk is kept.</summary>
internal sealed class Park(Floor floor) : IStep
{
    public StepName Name => StepName.Park;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        await floor.StopAsync(live.Job, cancellationToken);
        return new StepOutcome.Succeeded();
    }
}
