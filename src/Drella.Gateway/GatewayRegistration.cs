using Drella.Core.Budgets;
using Drella.Core.Sandboxes;
using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Drella.Gateway;

/// <summary>Puts the gatehouse together.</summary>
public static class GatewayRegistration
{
    /// <summary>A gatehouse with the model door only; the other two refuse.</summary>
    public static Gatehouse ModelsOnly(
        GatehouseOptions doors, ModelOptions models, IModelUpstream upstream, IModelLedger ledger, IDoorAudit audit, TimeProvider time, ILoggerFactory loggers) =>
        Build(
            doors,
            models,
            upstream,
            ledger,
            audit,
            (connection, _, _, _) => connection.DisposeAsync().AsTask(),
            (context, _, _) =>
            {
                context.Response.StatusCode = StatusCodes.Status404NotFound;
                return Task.CompletedTask;
            },
            time,
            loggers);

    internal static Gatehouse Build(
        GatehouseOptions doors,
        ModelOptions models,
        IModelUpstream upstream,
        IModelLedger ledger,
        IDoorAudit audit,
        StreamDoor egress,
        HttpDoor tools,
        TimeProvider time,
        ILoggerFactory loggers) =>
        new(doors, new DoorSet(new ModelDoor(upstream, ledger, audit, models, time).HandleAsync, egress, tools), time, loggers);
}
