using Drella.Configuration;
using Drella.Core.Budgets;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;
using Drella.Daemon;
using Drella.Gateway;
using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Drella.Gateway.Tools;
using Gjoll.Egress;
using Microsoft.Extensions.Logging.Abstractions;
using EgressPolicy = Drella.Core.Sandboxes.EgressPolicy;

namespace Drella.Doctor;

/// <summary>Makes a real sandbox behind real doors and has it attacked from inside. Everything it makes is gone afterwards.</summary>
internal static class SandboxProbes
{
    public static async Task<IReadOnlyList<Check>> RunAsync(DrellaConfig config, string programsRoot, TimeProvider time, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("drella-doctor-").FullName;
        try
        {
            await using var choice = await SandboxChoice.MakeAsync(config, folder, programsRoot, time, NullLoggerFactory.Instance, cancellationToken);
            var host = choice.Host;
            var report = await host.ProbeAsync(cancellationToken);
            if (!report.Works)
            {
                return [new Check("sandbox", false, $"{report.Provider}: {report.Problem ?? "does not work"}", report.Remedy), .. Notes(report)];
            }

            var ear = new Ear();
            await using var doors = GatewayRegistration.Full(
                new GatewayOptions(new GatehouseOptions { Folder = Path.Combine(folder, "d") }, new ModelOptions(), new EgressOptions(), new ToolsOptions()),
                new Nobody(),
                ear,
                ear,
                ear,
                time,
                NullLoggerFactory.Instance);
            return
            [
                new Check("sandbox", true, $"{report.Provider}; not contained: {string.Join(" ", report.NotContained)}", null),
                .. Notes(report),
                .. await new SandboxAttack(host, doors, () => ear.HasDenied("egress"), folder) { IsMachine = choice.Provider.Name == SandboxChoice.Qemu }
                    .RunAsync(cancellationToken),
                await HostileGuestCheck.RunAsync(choice.Provider, time, cancellationToken),
            ];
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Why it is this provider, and its warnings: to be read, and nothing that has failed.</summary>
    private static IEnumerable<Check> Notes(SandboxHostReport report) => report.Notes.Select(note => new Check("sandbox note", true, note, null));

    /// <summary>Answers no model call.</summary>
    private sealed class Nobody : IModelUpstream
    {
        public IReadOnlyList<string> Secrets => [SandboxAttack.Canary];

        public Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken) => throw new HttpRequestException("no model is asked by doctor");
    }

    /// <summary>Stands where the core would: grants nothing and hears what the doors decide.</summary>
    private sealed class Ear : IModelLedger, IToolDesk, IDoorAudit
    {
        private readonly System.Collections.Concurrent.ConcurrentBag<DoorDecision> heard = [];

        public bool HasDenied(string door) => heard.Any(decision => decision.Door == door && !decision.Allowed);

        public Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken)
        {
            heard.Add(decision);
            return Task.CompletedTask;
        }

        public Task<Reservation> ReserveAsync(Assignment assignment, ModelCall call, CancellationToken cancellationToken) => Task.FromResult<Reservation>(new Reservation.Stale());

        public Task SettleAsync(Assignment assignment, string callId, ModelUsage usage, CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyList<ToolDefinition> ToolsFor(Assignment assignment) => [];

        public Task<ToolAnswer> CallAsync(Assignment assignment, ToolCall call, CancellationToken cancellationToken) => Task.FromResult(ToolAnswer.Refused("nothing is granted"));
    }
}
