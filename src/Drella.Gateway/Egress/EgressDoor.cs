using Drella.Core;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Gjoll.Egress;
using Microsoft.Extensions.Logging;

namespace Drella.Gateway.Egress;

/// <summary>gjoll's egress proxy behind a sandbox's door: admitted are assignments, and decisions go where those of the other doors go.</summary>
internal sealed class EgressDoor : IEgressAudit
{
    private readonly IDoorAudit audit;
    private readonly EgressProxy proxy;

    public EgressDoor(EgressOptions options, IDoorAudit audit, TimeProvider time, ILoggerFactory loggers)
    {
        this.audit = audit;
        proxy = new EgressProxy(options, this, "Drella", time, loggers.CreateLogger<EgressProxy>());
    }

    /// <summary>Serves one connection to its end and closes it.</summary>
    public Task ServeAsync(Stream connection, Func<Admission?> current, SandboxName sandbox, CancellationToken cancellationToken) =>
        proxy.ServeAsync(connection, current, sandbox.Value, cancellationToken);

    /// <inheritdoc/>
    public async Task RecordAsync(string sandbox, IEgressAdmission? admission, EgressDecision decision, CancellationToken cancellationToken)
    {
        try
        {
            await audit.RecordAsync(
                new SandboxName(sandbox),
                (admission as Admission)?.Assignment,
                new DoorDecision(decision.Door, decision.Target, decision.Allowed, decision.Rule),
                cancellationToken);
        }
        catch (DriverException problem)
        {
            throw new IOException("the decision could not be written down", problem);
        }
    }
}
