using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Secrets;
using Drella.Core.Tools;
using Drella.Testing;
using Drella.Testing.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Core.Tests;

/// <summary>A job on a shelf over a journal in memory, driven by facts to the point where its producer works.</summary>
internal sealed class JobAtWork : IDisposable
{
    public static readonly RepoName Repo = RepoName.Parse("acme/app");

    private JobAtWork()
    {
        Journal = new MemoryJournal(Time);
        Shelf = new JobShelf(Journal, Time);
    }

    public FakeTime Time { get; } = new();

    public MemoryJournal Journal { get; }

    public JobShelf Shelf { get; }

    public LiveJob Live { get; private set; } = null!;

    public Job Job => Live.Job;

    public static FactorySettings Settings { get; } = new() { Identity = new Identity("factory", "factory@example.test"), AllowedRepos = ["acme/*"] };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public static async Task<JobAtWork> StartAsync(long budget = 1_000_000, int? thread = 7, params string[] tools)
    {
        var made = new JobAtWork();
        made.Live = await made.Shelf.OpenAsync(Request(budget, thread, tools.Length > 0 ? tools : [.. ToolCatalogue.All.Select(tool => tool.Name)]), Stop);
        await made.Live.TellAsync(new JobFact.Admit(), Stop);
        await made.DoAsync(StepName.Prepare, new JobEntry.BaseResolved(new string('a', 40)));
        await made.DoAsync(StepName.Provision, new JobEntry.WorkspaceSynced(new string('a', 40)));
        await made.BeginAsync(StepName.Work);
        return made;
    }

    public static SourceRef Source(int? thread = 7) =>
        new("test", Repo.ToString(), SourceKind.Issue, "7", "r1", null, "ann", "https://forge.test/acme/app/issues/7", thread);

    public Task BeginAsync(StepName step) => Live.TellAsync(new JobFact.StepBegins(step), Stop);

    public Task EndAsync(StepName step, StepOutcome outcome) => Live.TellAsync(new JobFact.StepEnds(step, outcome), Stop);

    public async Task DoAsync(StepName step, params JobEntry[] entries)
    {
        await BeginAsync(step);
        await EndAsync(step, new StepOutcome.Succeeded { Entries = entries });
    }

    public Task RecordAsync(JobEntry entry) => Live.RecordAsync(entry, Stop);

    public async Task<IReadOnlyList<JobEntry>> EntriesAsync()
    {
        var entries = new List<JobEntry>();
        await foreach (var entry in Journal.ReadAsync(Job.Id.Stream, 0, Stop))
        {
            entries.Add(JobEntryCodec.Decode(entry));
        }

        return entries;
    }

    /// <summary>The desk over this job, with a forge that may be asked only for what is given.</summary>
    public ToolDesk Desk(params (string Member, Func<object?[], object> Answer)[] forge)
    {
        var secrets = new SecretScanner(new KnownSecrets([]));
        var port = Ports.Of<IForge>(forge);
        var quarantine = Ports.Of<IQuarantine>();
        var handlers = new ToolHandlers(
            port,
            new Core.Sandboxes.Floor(Ports.Of<Core.Sandboxes.ISandboxHost>(), Ports.Of<Core.Sandboxes.IGatehouse>(), Settings),
            new Harvester(quarantine, new ContentPolicy(new ContentPolicyOptions(), secrets)),
            new Publisher(port, quarantine, Settings),
            new ImageShelf(new MemoryBlobStore(), Settings),
            secrets);
        return new ToolDesk(Shelf, handlers, new Redactor(secrets), NullLogger<ToolDesk>.Instance);
    }

    public void Dispose() => Shelf.Dispose();

    private static JobRequest Request(long budget, int? thread, IReadOnlyList<string> tools) => new()
    {
        Source = Source(thread),
        Title = "Say goodbye",
        Text = "People want it.",
        AcceptanceCriteria = [],
        Repo = Repo.ToString(),
        Base = "main",
        Pipeline =
        [
            Role("producer", tools),
            Role("validator", [ToolCatalogue.GetPr, ToolCatalogue.SubmitVerdict]),
        ],
        Profile = "default",
        AllowedHosts = [],
        Priority = 0,
        Budget = budget,
        WorkTimeout = TimeSpan.FromHours(1),
        MaxRounds = 5,
    };

    private static RoleSnapshot Role(string name, IReadOnlyList<string> tools) =>
        new() { Name = name, Agent = "stub", Model = "m", Tools = tools, MayEdit = true, Prompt = "" };
}
