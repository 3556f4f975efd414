using Drella.Core.Agents;
using Drella.Core.Budgets;
using Drella.Core.Forges;
using Drella.Core.Intake;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.PullRequests;
using Drella.Core.Reviews;
using Drella.Core.Sandboxes;
using Drella.Core.Secrets;
using Drella.Core.Steps;
using Drella.Core.Tools;
using Microsoft.Extensions.Logging;

namespace Drella.Core;

/// <summary>What the core asks of the outside.</summary>
public sealed record FactoryPorts
{
    public required IJournal Journal { get; init; }

    public required IBlobStore Blobs { get; init; }

    public required IForge Forge { get; init; }

    public required IQuarantine Quarantine { get; init; }

    public required ISandboxHost Sandboxes { get; init; }

    public required IReadOnlyList<IAgentAdapter> Agents { get; init; }

    public required TimeProvider Time { get; init; }

    public required ILoggerFactory Loggers { get; init; }
}

/// <summary>
/// The core, put together. In two steps, because the gatehouse needs the desk, the ledger and the audit before the factory can have the gatehouse.
/// </summary>
public sealed class FactoryCore
{
    private readonly FactoryPorts ports;
    private readonly FactorySettings settings;
    private readonly SecretScanner secrets;
    private readonly LateGatehouse gatehouse = new();
    private readonly Floor floor;
    private readonly Harvester harvester;
    private readonly Publisher publisher;

    public FactoryCore(FactoryPorts ports, FactorySettings settings, ContentPolicyOptions policy, IReadOnlyList<string> knownSecrets)
    {
        this.ports = ports;
        this.settings = settings;
        secrets = new SecretScanner(new KnownSecrets(knownSecrets));
        Jobs = new JobShelf(ports.Journal, ports.Time);
        floor = new Floor(ports.Sandboxes, gatehouse, settings);
        Visits = new Visits(floor, ports.Sandboxes);
        harvester = new Harvester(ports.Quarantine, new ContentPolicy(policy, secrets));
        publisher = new Publisher(ports.Forge, ports.Quarantine, settings);
        Images = new ImageShelf(ports.Blobs, settings);
        Ledger = new ModelLedger(Jobs);
        Audit = new DoorAudit(Jobs, ports.Time);
        Desk = new ToolDesk(
            Jobs, new ToolHandlers(ports.Forge, floor, harvester, publisher, Images, secrets), new Redactor(secrets), ports.Loggers.CreateLogger<ToolDesk>());
    }

    public JobShelf Jobs { get; }

    public Visits Visits { get; }

    public ImageShelf Images { get; }

    public IModelLedger Ledger { get; }

    public IDoorAudit Audit { get; }

    public IToolDesk Desk { get; }

    /// <summary>Ends the composition: from here on the factory can run.</summary>
    public Factory Build(IGatehouse doors, QueueCaps caps, IntakeSettings intake, Catalogue catalogue, Rhythm rhythm)
    {
        gatehouse.Inner = doors;
        var status = new StatusReporter(ports.Forge, settings, ports.Loggers.CreateLogger<StatusReporter>());
        var shift = new AgentShift(floor, gatehouse, ports.Blobs, ports.Agents.ToDictionary(agent => agent.Id), settings, ports.Time);
        IStep[] steps =
        [
            new Prepare(ports.Forge, ports.Quarantine, settings),
            new Provision(floor, ports.Forge, ports.Quarantine, ports.Sandboxes, settings),
            new Work(shift, status),
            new Harvest(floor, harvester),
            new JudgeStep(shift, ports.Quarantine),
            new Publish(publisher, ports.Forge),
            new Answer(ports.Forge),
            new Park(floor),
            new Settle(ports.Forge, status, settings),
            new Release(floor),
        ];
        var runner = new JobRunner(steps.ToDictionary(step => step.Name), ports.Time, ports.Loggers.CreateLogger<JobRunner>());
        return new Factory(
            Jobs,
            new Scheduler(Jobs, runner, caps, ports.Time, ports.Loggers.CreateLogger<Scheduler>()),
            new IntakeWatch(Jobs, new RefusalBook(ports.Journal, ports.Forge), ports.Forge, intake, catalogue, settings, ports.Loggers.CreateLogger<IntakeWatch>()),
            new ReviewWatch(Jobs, ports.Forge, settings, ports.Loggers.CreateLogger<ReviewWatch>()),
            status,
            ports.Sandboxes,
            settings,
            rhythm,
            ports.Time,
            ports.Loggers.CreateLogger<Factory>());
    }

    /// <summary>Stands in until the doors are there.</summary>
    private sealed class LateGatehouse : IGatehouse
    {
        public IGatehouse Inner { get => field ?? throw new InvalidOperationException("the doors are not built yet"); set; }

        public Task<Doors> OpenAsync(SandboxName sandbox, CancellationToken cancellationToken) => Inner.OpenAsync(sandbox, cancellationToken);

        public string Admit(SandboxName sandbox, Assignment assignment, EgressPolicy egress, ModelPolicy model) => Inner.Admit(sandbox, assignment, egress, model);

        public void Dismiss(SandboxName sandbox) => Inner.Dismiss(sandbox);

        public DateTimeOffset? LastModelActivity(SandboxName sandbox) => Inner.LastModelActivity(sandbox);

        public Task CloseAsync(SandboxName sandbox, CancellationToken cancellationToken) => Inner.CloseAsync(sandbox, cancellationToken);
    }
}
