using Drella.Configuration;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Daemon;
using Drella.Demo;
using Microsoft.Extensions.Logging;

namespace Drella.EndToEnd.Tests;

/// <summary>The real factory in this process: real Claude Code, real sandboxes, the built-in forge, and a tape for the model.</summary>
internal sealed class FactoryFixture : IAsyncDisposable
{
    public const string Repo = "factory/greeter";
    public const string Tasks = "factory/tasks";

    private readonly CancellationTokenSource stop = new();
    private readonly FileLog log;
    private Task running = Task.CompletedTask;

    private FactoryFixture(string folder)
    {
        Folder = folder;
        log = new FileLog(Path.Combine(folder, "daemon.log"));
    }

    public string Folder { get; }

    public Daemon.Daemon Daemon { get; private set; } = null!;

    public ForgePerson Person { get; private set; } = null!;

    /// <summary>How long one wait for a job may take.</summary>
    public TimeSpan Patience { get; set; } = TimeSpan.FromSeconds(120);

    public static string Shipped(string path) => Path.Combine(AppContext.BaseDirectory, "demo", path);

    public static async Task<FactoryFixture> StartAsync(string tape, string more = "")
    {
        var fixture = new FactoryFixture(Directory.CreateTempSubdirectory("drella-").FullName);
        var forge = $"http://127.0.0.1:{FreePort()}";
        await File.WriteAllTextAsync(Path.Combine(fixture.Folder, "tape.yaml"), tape.Replace("${forge}", forge, StringComparison.Ordinal), Token);
        await File.WriteAllTextAsync(
            Path.Combine(fixture.Folder, "drella.yaml"),
            $$"""
            version: 1
            data: data
            listen: http://127.0.0.1:0
            poll_interval: 500ms
            forge: { kind: builtin, listen: "{{forge}}" }
            tasks: [ { repo: {{Tasks}} } ]
            repositories: [ "factory/*" ]
            model: { upstream: tape, tape: tape.yaml }
            {{more}}
            """,
            Token);
        await fixture.StartDaemonAsync();
        await fixture.MakeTargetAsync();
        return fixture;
    }

    public static int FreePort()
    {
        using var socket = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        socket.Start();
        return ((System.Net.IPEndPoint)socket.LocalEndpoint).Port;
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async Task StartDaemonAsync()
    {
        var config = ConfigLoader.Load(Path.Combine(Folder, "drella.yaml"), isOptional: false);
        Assert.Empty(config.Problems);
        Daemon = await Drella.Daemon.Daemon.StartAsync(config.Config!, TimeProvider.System, LoggerFactory.Create(builder => builder.AddProvider(log).AddFilter("Microsoft", LogLevel.Warning).AddFilter("ModelContextProtocol", LogLevel.Warning)), Token);
        running = Daemon.RunAsync(stop.Token);
        Person = new ForgePerson(Daemon.Builtin!.Url, Daemon.Builtin.HumanToken);
    }

    public Task<int> MergeSpecAsync(string name, string text) => Person.MergeFileAsync(Tasks, $"in-progress/{name}.md", text, $"Spec: {name}", Token);

    public Task<Job> JobAsync(Func<Job, bool> isThere) => UntilAsync(jobs => jobs.FirstOrDefault(isThere));

    /// <summary>Waits for a job to be so; fails with the whole story when it ends otherwise or takes too long.</summary>
    public async Task<Job> UntilAsync(Func<IEnumerable<Job>, Job?> find)
    {
        var seen = new TaskCompletionSource<Job>(TaskCreationOptions.RunContinuationsAsynchronously);
        void Look(LiveJob? changed)
        {
            if (find(Daemon.Core.Jobs.All.Select(live => live.Job)) is { } found)
            {
                seen.TrySetResult(found);
            }
        }

        Daemon.Core.Jobs.Changed += Look;
        try
        {
            Look(null);
            return await seen.Task.WaitAsync(Patience, Token);
        }
        catch (TimeoutException)
        {
            throw new TimeoutException(Story());
        }
        finally
        {
            Daemon.Core.Jobs.Changed -= Look;
        }
    }

    /// <summary>Asks the forge, or whatever tells nobody of its changes, until the answer is there.</summary>
    public Task<T> PollAsync<T>(Func<Task<T?>> look)
        where T : class => Polling.UntilAsync(look, Story, Token);

    /// <summary>True when the daemon's loops have ended, which they must not before they are told to.</summary>
    public bool HasStopped => running.IsCompleted;

    public string Story()
    {
        log.Flush();
        var jobs = string.Join('\n', Daemon.Core.Jobs.All.Select(live => $"{live.Job.Id} {live.Job.Phase} {live.Job.Step} try {live.Job.Tries} {live.Job.Conclusion} {live.Job.Reason} {live.Job.LastRun}"));
        return $"{jobs}\n{log.Tail()}";
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await running;
        foreach (var live in Daemon.Core.Jobs.All)
        {
            await Daemon.Sandboxes.DestroyAsync(new Core.Sandboxes.SandboxName($"{live.Job.Id}-{live.Job.Attempt}"), CancellationToken.None);
        }

        Person.Dispose();
        await Daemon.DisposeAsync();
        log.Dispose();
        stop.Dispose();
        if (Environment.GetEnvironmentVariable("DRELLA_KEEP") is null)
        {
            Directory.Delete(Folder, recursive: true);
        }
    }

    private Task MakeTargetAsync()
    {
        var root = Shipped("target");
        var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
        return BuiltinForge.EnsureRepositoryAsync(Daemon.Builtin!.Admin, RepoName.Parse(Repo), files, Token);
    }
}
