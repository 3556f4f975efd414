using Drella.Core;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Gateway.Tests;

/// <summary>Keeps audit lines, or fails as a full disk would.</summary>
internal sealed class DoorAuditRecorder : IDoorAudit
{
    private readonly Lock gate = new();
    private readonly List<(SandboxName Sandbox, Assignment? Assignment, DoorDecision Decision)> lines = [];

    public bool IsBroken { get; set; }

    public IReadOnlyList<(SandboxName Sandbox, Assignment? Assignment, DoorDecision Decision)> Lines
    {
        get
        {
            lock (gate)
            {
                return [.. lines];
            }
        }
    }

    public DoorDecision Single => Assert.Single(Lines).Decision;

    public Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken)
    {
        if (IsBroken)
        {
            throw new DriverException(true, "no space left on /var/lib/secret-place") { Failure = DriverFailure.Exhausted };
        }

        lock (gate)
        {
            lines.Add((sandbox, assignment, decision));
        }

        return Task.CompletedTask;
    }
}
