using Drella.Core.Jobs;

namespace Drella.Core.Sandboxes;

/// <summary>Keeps the doors' decisions in the job's stream; those of nobody's sandbox are not kept, because nobody is there to answer for them.</summary>
internal sealed class DoorAudit(JobShelf shelf) : IDoorAudit
{
    public async Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken)
    {
        if (JobId.TryParse(sandbox.Value.Split('-')[0], out var id) && shelf.Find(id) is { } live)
        {
            await live.RecordAsync(new JobEntry.DoorUsed(decision.Door, decision.Target, decision.Allowed, decision.Rule), cancellationToken);
        }
    }
}
