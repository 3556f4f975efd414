using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Intake;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;
using Drella.Testing.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Testing.Simulation;

/// <summary>
/// The real factory over the fakes, on one thread and a clock that moves only when nothing else can happen. The daemon can die and be started
/// again; forge, sandboxes, Git stores and journal stay. Must be made, used and disposed on one thread.
/// </summary>
public sealed class FactoryHouse : IDisposable
{
    public static readonly RepoName Tasks = RepoName.Parse("acme/tasks");
    public static readonly RepoName App = RepoName.Parse("acme/app");
    public static readonly RepoName Lib = RepoName.Parse("acme/lib");

    private static readonly string[] ProducerTools = [.. ToolCatalogue.All.Select(tool => tool.Name).Where(name => name != ToolCatalogue.SubmitVerdict)];

    private readonly OneThread context = new();
    private readonly IDisposable entered;
    private readonly Dictionary<SandboxName, FakeMachine> machines = [];
    private readonly Dictionary<RepoName, HashSet<string>> stores = [];
    private CancellationTokenSource stop = new();
    private Task running = Task.CompletedTask;
    private bool isStopping;

    public FactoryHouse()
    {
        entered = context.Enter();
        Forge = new FakeForgeState(Git, Time);
        Journal = new MemoryJournal(Time);
        foreach (var repo in new[] { Tasks, App, Lib })
        {
            Forge.AddRepo(repo.ToString());
        }

        Forge.Rights["ann"] = Permission.Write;
        Forge.Rights["bob"] = Permission.Admin;
    }

    public FakeTime Time { get; } = new();

    public FakeGit Git { get; } = new();

    public FakeForgeState Forge { get; }

    public MemoryJournal Journal { get; }

    public IReadOnlyDictionary<SandboxName, FakeMachine> Machines => machines;

    /// <summary>The life that runs, or the last one.</summary>
    public Life Life { get; private set; } = null!;

    public FactoryCore Core { get; private set; } = null!;

    public Factory Factory { get; private set; } = null!;

    /// <summary>Daemons started so far.</summary>
    public int Lives { get; private set; }

    /// <summary>Time from a death to the next start.</summary>
    public TimeSpan RestartDelay { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>What an agent does; it must end its process.</summary>
    public Func<AgentHands, Task> Agent { get; set; } = Conduct.DiligentAsync;

    public Func<PortCall, PortFate> Fate { get; set; } = _ => PortFate.Answered;

    public Func<PortCall, TimeSpan> Latency { get; set; } = _ => TimeSpan.Zero;

    public QueueCaps Caps { get; set; } = new(3, 2, 2);

    public int MaxRounds { get; set; } = 4;

    public FactorySettings Settings { get; set; } = new()
    {
        Identity = new Identity("drella", "drella@forge.test"), AllowedRepos = ["acme/*"], KeepFailed = TimeSpan.FromHours(1),
    };

    /// <summary>What the provider of the model charged, by job.</summary>
    public Dictionary<JobId, long> Charged { get; } = [];

    /// <summary>What went wrong in a way that nothing may: an agent's script that threw, a daemon that fell over.</summary>
    public List<string> Faults { get; } = [];

    /// <summary>Every job as the daemon that runs, or the last one, has it.</summary>
    public IReadOnlyList<LiveJob> Jobs => Core.Jobs.All;

    public int Strays => context.Strays;

    /// <summary>Raised after each change of a job, and after each start for each job.</summary>
    public event Action<Job>? JobChanged;

    /// <summary>Starts a daemon on what is there.</summary>
    public void Start()
    {
        Lives++;
        var life = new Life(Time);
        var gate = new PortGate(life) { Fate = call => Fate(call), Latency = call => Latency(call) };
        FakeGatehouse doors = null!;
        Life = life;
        life.Ended += () => After(RestartDelay, Start);
        var forge = new FakeForge(Forge, gate);
        var sandboxes = new FakeSandboxHost(machines, Git, gate, (machine, process, command) => PlayAsync(new AgentHands(machine, process, command, doors, Time)), Time);
        Core = new FactoryCore(
            new FactoryPorts
            {
                Journal = new LivingJournal(Journal, life), Blobs = new MemoryBlobStore(), Forge = forge,
                Quarantine = new FakeQuarantine(Forge, stores, gate), Sandboxes = sandboxes, Agents = [new FakeAgent()], Time = life.Time, Loggers = NullLoggerFactory.Instance,
            },
            Settings,
            new ContentPolicyOptions(),
            []);
        // The jobs are folded on other threads; nothing else moves until they are there.
        Task.Run(() => Core.Jobs.LoadAsync(CancellationToken.None)).GetAwaiter().GetResult();
        doors = new FakeGatehouse(Core.Desk, Core.Ledger, Time, life, Lives);
        doors.Charged += (job, cost) => Charged[job] = Charged.GetValueOrDefault(job) + cost;
        Factory = Core.Build(doors, Caps, Intake(), Catalogue(), new Rhythm(TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(10)));
        foreach (var live in Core.Jobs.All)
        {
            JobChanged?.Invoke(live.Job);
        }

        Core.Jobs.Changed += live => JobChanged?.Invoke(live.Job);
        stop = new CancellationTokenSource();
        isStopping = false;
        running = WatchAsync(Factory.RunAsync(stop.Token), life);
    }

    /// <summary>The daemon dies as by a power cut; the next one starts after a while.</summary>
    public void Crash() => Life.End();

    /// <summary>The daemon is asked to end, and the next one starts when it has.</summary>
    public void Restart()
    {
        isStopping = true;
        stop.Cancel();
    }

    /// <summary>A sandbox goes with everything on its disk.</summary>
    public void Lose(SandboxName name) => machines.Remove(name);

    /// <summary>Does something after a time of the world's clock.</summary>
    public void After(TimeSpan delay, Action act)
    {
        ITimer? timer = null;
        timer = Time.CreateTimer(
            _ =>
            {
                timer!.Dispose();
                act();
            },
            null,
            delay,
            Timeout.InfiniteTimeSpan);
    }

    /// <summary>Runs until the predicate holds; false when it does not within the time.</summary>
    public bool RunUntil(Func<bool> isDone, TimeSpan longest)
    {
        var end = Time.GetUtcNow() + longest;
        while (true)
        {
            context.Drain();
            if (Faults.Count > 0 || isDone())
            {
                return Faults.Count == 0;
            }

            if (Time.NextDue is not { } due || due > end)
            {
                return false;
            }

            Time.AdvanceToNextTimer();
        }
    }

    public void RunFor(TimeSpan time)
    {
        var isOver = false;
        After(time, () => isOver = true);
        RunUntil(() => isOver, time + time);
    }

    public void Dispose()
    {
        if (!Life.IsOver)
        {
            isStopping = true;
            Life.End();
        }

        entered.Dispose();
        stop.Dispose();
    }

    private async Task WatchAsync(Task factory, Life life)
    {
        await Task.WhenAny(factory);
        if (!life.IsOver && isStopping && factory.Exception is null)
        {
            life.End();
        }
        else if (!life.IsOver)
        {
            Faults.Add($"the daemon fell over: {factory.Exception?.InnerException}");
        }
    }

    private async Task PlayAsync(AgentHands hands)
    {
        var playing = BeginAsync(hands);
        await Task.WhenAny(playing);
        if (playing.Exception?.InnerException is { } error)
        {
            Faults.Add($"the agent's script broke: {error}");
        }

        hands.Process.Exit(new Core.Sandboxes.GuestExit(1, null));
    }

    private async Task BeginAsync(AgentHands hands)
    {
        await Task.Yield();
        hands.Machine.Sessions.Add(hands.Session);
        await Agent(hands);
    }

    private static IntakeSettings Intake() => new([new TasksRepo(Tasks, App), new TasksRepo(Lib, Lib)], [new IssueRepo(App, null)]);

    private Catalogue Catalogue() => new()
    {
        Roles = new Dictionary<string, RoleSnapshot>
        {
            ["producer"] = Role("producer", ProducerTools, mayEdit: true),
            ["validator"] = Role("validator", [ToolCatalogue.SubmitVerdict, ToolCatalogue.GetPr], mayEdit: false),
        },
        Pipelines = new Dictionary<string, IReadOnlyList<string>> { ["default"] = ["producer"], ["strict"] = ["producer", "validator"] },
        Profiles = new Dictionary<string, Profile> { ["default"] = new([], []) },
        Agents = [FakeAgent.AgentId],
        MaxRounds = MaxRounds,
    };

    private static RoleSnapshot Role(string name, IReadOnlyList<string> tools, bool mayEdit) => new()
    {
        Name = name, Agent = FakeAgent.AgentId, Model = "model", Tools = tools, MayEdit = mayEdit, Prompt = $"You are the {name}.",
    };
}
