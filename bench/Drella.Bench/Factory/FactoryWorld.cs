using Drella.Configuration;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Daemon;
using Drella.Demo;
using Microsoft.Extensions.Logging;

namespace Drella.Bench.Factory;

/// <summary>
/// The real factory in this process: real Claude Code, real sandboxes, the built-in forge with its webhook, a tape for the model. It polls so
/// seldom that only the webhook can be what wakes it.
/// </summary>
internal sealed class FactoryWorld : IAsyncDisposable
{
    public const string Repo = "factory/greeter";
    public const string Tasks = "factory/tasks";
    public const string Title = "Greet loudly when asked to";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly CancellationTokenSource stop = new();
    private readonly ILoggerFactory loggers;
    private readonly string folder;
    private WebHost web = null!;
    private Task running = Task.CompletedTask;

    private FactoryWorld(string folder)
    {
        this.folder = folder;
        loggers = LoggerFactory.Create(builder => builder
            .AddProvider(new LogFile(Path.Combine(folder, "drella.log"), TimeProvider.System))
            .AddFilter("Microsoft", LogLevel.Warning).AddFilter("ModelContextProtocol", LogLevel.Warning));
    }

    public Daemon.Daemon Daemon { get; private set; } = null!;

    private ForgePerson Person { get; set; } = null!;

    /// <summary>A file of the shipped demo.</summary>
    public static string Shipped(string path) => Path.Combine(AppContext.BaseDirectory, "demo", path);

    public static async Task<FactoryWorld> StartAsync(string folder, string tape, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folder);
        var world = new FactoryWorld(folder);
        var file = await WriteConfigurationAsync(folder, tape, cancellationToken);
        world.Daemon = await Drella.Daemon.Daemon.StartAsync(ConfigLoader.Load(file, isOptional: false).Config!, TimeProvider.System, world.loggers, cancellationToken);
        world.web = await WebHost.StartAsync(world.Daemon, TimeProvider.System, world.loggers, cancellationToken);
        await MakeTargetAsync(world.Daemon.Builtin!, cancellationToken);
        world.running = world.Daemon.RunAsync(world.stop.Token);
        world.Person = new ForgePerson(world.Daemon.Builtin!.Url, world.Daemon.Builtin.HumanToken);
        return world;
    }

    public static async Task<string> WriteConfigurationAsync(string folder, string tape, CancellationToken cancellationToken)
    {
        await File.WriteAllTextAsync(Path.Combine(folder, "tape.yaml"), tape, cancellationToken);
        var file = Path.Combine(folder, ConfigLoader.FileName);
        await File.WriteAllTextAsync(
            file,
            $$"""
            version: 1
            data: data
            listen: http://127.0.0.1:0
            poll_interval: 10m
            forge: { kind: builtin, listen: "http://127.0.0.1:0" }
            tasks: [ { repo: {{Tasks}} } ]
            repositories: [ "factory/*" ]
            model: { upstream: tape, tape: tape.yaml }
            """,
            cancellationToken);
        return file;
    }

    public static Task MakeTargetAsync(BuiltinForge forge, CancellationToken cancellationToken)
    {
        var root = Shipped("target");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
        return BuiltinForge.EnsureRepositoryAsync(forge.Admin, RepoName.Parse(Repo), files, cancellationToken);
    }

    /// <summary>Merges the demo's spec under that name. Returns the moments just before the merge was asked for and when the forge had said that it is done.</summary>
    public async Task<Merge> MergeSpecAsync(string name, CancellationToken cancellationToken)
    {
        var main = await Person.GetAsync($"repos/{Tasks}/git/ref/heads/main", cancellationToken);
        var branch = $"add-{name}";
        var text = await File.ReadAllTextAsync(Shipped("spec.md"), cancellationToken);
        await Person.SendAsync(HttpMethod.Post, $"repos/{Tasks}/git/refs", new { @ref = $"refs/heads/{branch}", sha = main["object"]!["sha"]!.GetValue<string>() }, cancellationToken);
        await Person.SendAsync(
            HttpMethod.Put,
            $"repos/{Tasks}/contents/in-progress/{name}.md",
            new { message = name, content = Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(text)), branch },
            cancellationToken);
        var pull = await Person.SendAsync(HttpMethod.Post, $"repos/{Tasks}/pulls", new { title = name, head = branch, @base = "main", body = "A spec." }, cancellationToken);
        var number = pull["number"]!.GetValue<int>();
        while ((await Person.GetAsync($"repos/{Tasks}/pulls/{number}", cancellationToken))["mergeable"]?.GetValue<bool>() is null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, cancellationToken);
        }

        var asked = DateTimeOffset.UtcNow;
        await Person.SendAsync(HttpMethod.Put, $"repos/{Tasks}/pulls/{number}/merge", new { merge_method = "merge" }, cancellationToken);
        return new Merge(name, asked, DateTimeOffset.UtcNow);
    }

    /// <summary>The moment at which the job of a spec is so, seen when it becomes so. Throws when the job ends otherwise.</summary>
    public async Task<(DateTimeOffset At, Job Job)> WhenAsync(string spec, Func<Job, bool> isThere, CancellationToken cancellationToken)
    {
        var there = new TaskCompletionSource<(DateTimeOffset, Job)>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(LiveJob live)
        {
            var job = live.Job;
            if (job.Request.Source.Name != spec)
            {
                return;
            }

            if (isThere(job))
            {
                there.TrySetResult((DateTimeOffset.UtcNow, job));
            }
            else if (job is { Conclusion: { } conclusion, Step: null })
            {
                there.TrySetException(new InvalidOperationException($"the job of {spec} ended with {conclusion}: {job.Reason}"));
            }
        }

        Daemon.Core.Jobs.Changed += Look;
        try
        {
            foreach (var live in Daemon.Core.Jobs.All)
            {
                Look(live);
            }

            return await there.Task.WaitAsync(Patience, cancellationToken);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"the job of {spec} stands still:\n{string.Join('\n', File.ReadLines(Path.Combine(folder, "drella.log")).TakeLast(30))}");
        }
        finally
        {
            Daemon.Core.Jobs.Changed -= Look;
        }
    }

    /// <summary>Ends a job and waits until its sandbox is gone, so that the next sample has the machine to itself.</summary>
    public async Task CancelAsync(Job job, CancellationToken cancellationToken)
    {
        await Daemon.Core.Jobs.Find(job.Id)!.TellAsync(new JobFact.CancelAsked("bench", "measured"), cancellationToken);
        await WhenAsync(job.Request.Source.Name, seen => seen is { Conclusion: not null, Step: null }, cancellationToken);
    }

    /// <summary>A job's entries and their times.</summary>
    public async Task<IReadOnlyList<(DateTimeOffset At, JobEntry Entry)>> EntriesAsync(Job job, CancellationToken cancellationToken)
    {
        var entries = new List<(DateTimeOffset, JobEntry)>();
        await foreach (var entry in Daemon.Store.Journal.ReadAsync(job.Id.Stream, 0, cancellationToken))
        {
            entries.Add((entry.At, JobEntryCodec.Decode(entry)));
        }

        return entries;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        foreach (var sandbox in await Daemon.Sandboxes.ListAsync(CancellationToken.None))
        {
            await Daemon.Sandboxes.DestroyAsync(sandbox.Name, CancellationToken.None);
        }

        Person.Dispose();
        await web.DisposeAsync();
        await Daemon.DisposeAsync();
        loggers.Dispose();
        stop.Dispose();
    }
}

/// <summary>A spec that was merged: its name, and the merge's beginning and end.</summary>
internal sealed record Merge(string Spec, DateTimeOffset Asked, DateTimeOffset Done);
