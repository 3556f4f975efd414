using Drella.Core.Budgets;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;
using Drella.Gateway.Doors;
using Drella.Gateway.Egress;
using Drella.Gateway.Models;
using Drella.Gateway.Tools;
using Gjoll.Egress;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

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

    /// <summary>A gatehouse with all three doors. Throws <see cref="OptionsValidationException"/> with every fault of the egress options.</summary>
    public static Gatehouse Full(
        GatewayOptions options, IModelUpstream upstream, IModelLedger ledger, IToolDesk desk, IDoorAudit audit, TimeProvider time, ILoggerFactory loggers)
    {
        var checkedOptions = new EgressOptionsCheck().Validate(null, options.Egress);
        if (checkedOptions.Failed)
        {
            throw new OptionsValidationException("Egress", typeof(EgressOptions), checkedOptions.Failures);
        }

        var toolsOptions = Options.Create(options.Tools);
        var egress = new EgressDoor(options.Egress, audit, time, loggers);
        var tools = new ToolsDoor(
            new ToolServer(desk, audit, toolsOptions, loggers.CreateLogger<ToolServer>()), audit, toolsOptions, time, loggers);
        return Build(
            options.Doors, options.Models, upstream, ledger, audit, egress.ServeAsync, tools.HandleAsync, time, loggers);
    }

    /// <summary>What is wrong with host patterns of an egress policy, a sentence each; empty when they are good.</summary>
    public static IReadOnlyList<string> HostPatternProblems(IReadOnlyList<string> patterns) => Gjoll.Egress.EgressPolicy.Validate(new Gjoll.Egress.EgressPolicy { AllowedHosts = patterns });

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
