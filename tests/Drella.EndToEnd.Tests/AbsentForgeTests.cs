using Drella.Configuration;
using Drella.Core.Jobs;
using Drella.Daemon;
using Drella.Demo;
using Drella.Forge;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.EndToEnd.Tests;

/// <summary>A forge that is not the daemon's own: down at its start, going away, coming back; and a disk that is full meanwhile.</summary>
public sealed class AbsentForgeTests
{
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Forge_ThatIsAwayIsWaitedForAndNothingIsLost()
    {
        await using var world = await RemoteWorld.BeginAsync(Directory.CreateTempSubdirectory("drella-").FullName);
        await world.StartDaemonAsync();
        Assert.Contains((await world.Daemon.HealthAsync(Token)).Items, item => item is { Name: "forge", Ok: false });

        await world.StartForgeAsync();
        await world.MergeAsync("first");
        var first = await world.JobAsync("first");

        await world.StopForgeAsync();
        await world.LogAsync("could not be looked at");
        Assert.False(world.HasStopped, world.Log());

        await world.StartForgeAsync();
        await world.MergeAsync("second");
        await world.JobAsync("second");
        Assert.Contains((await world.Daemon.HealthAsync(Token)).Items, item => item is { Name: "forge", Ok: true });
        Assert.Equal(first.Id, (await world.JobAsync("first")).Id);
        Assert.Null((await world.Daemon.Store.Journal.VerifyAsync(null, Token)).FirstBad);
    }

    [Fact]
    public async Task Disk_ThatIsFullHoldsTheOrdersBackAndLosesNone()
    {
        await using var world = await RemoteWorld.BeginAsync("/mnt/data");
        await world.StartForgeAsync();
        await using var daemon = CrampedDaemon.Start(megabytes: 24, world.Folder);
        await world.MergeAsync("before");
        await daemon.JobAsync("before");

        daemon.FillDisk();
        await world.MergeAsync("during");
        await world.MergeAsync("refused", "---\n]");
        await daemon.SaysAsync("in-progress/during.md could not be looked at");
        await daemon.SaysAsync("in-progress/refused.md could not be looked at");
        Assert.Equal(["before"], await daemon.JobsAsync());
        Assert.Empty(await world.IssuesAsync());

        daemon.FreeDisk();
        await daemon.JobAsync("during");
        await world.MergeAsync("after");
        await daemon.JobAsync("after");
        await daemon.SaysAsync("spec:refused was refused");
        Assert.Equal(["after", "before", "during"], await daemon.JobsAsync());
        Assert.False(daemon.HasExited);
    }

    /// <summary>A forge and a daemon that share nothing but an address.</summary>
    private sealed class RemoteWorld : IAsyncDisposable
    {
        private const string BotToken = "a-token-of-the-factory";
        private const string HumanToken = "a-token-of-a-person";

        public string Folder { get; } = Directory.CreateTempSubdirectory("drella-").FullName;

        private readonly string address = $"http://127.0.0.1:{FactoryFixture.FreePort()}";
        private readonly CancellationTokenSource stop = new();
        private FileLog log = null!;
        private ForgeServer? forge;
        private ForgePerson person = null!;
        private Task running = Task.CompletedTask;

        public Daemon.Daemon Daemon { get; private set; } = null!;

        public bool HasStopped => running.IsCompleted;

        public static async Task<RemoteWorld> BeginAsync(string data)
        {
            var world = new RemoteWorld();
            world.log = new FileLog(Path.Combine(world.Folder, "daemon.log"));
            world.person = new ForgePerson(new Uri(world.address), HumanToken);
            await File.WriteAllTextAsync(Path.Combine(world.Folder, "token"), BotToken, Token);
            await File.WriteAllTextAsync(Path.Combine(world.Folder, "tape.yaml"), Scripts.Producer(), Token);
            await File.WriteAllTextAsync(
                Path.Combine(world.Folder, "drella.yaml"),
                $$"""
                version: 1
                data: {{data}}
                listen: http://127.0.0.1:0
                poll_interval: 500ms
                forge: { kind: github, api_url: "{{world.address}}/api/v3", token_file: token }
                tasks: [ { repo: {{FactoryFixture.Tasks}} } ]
                repositories: [ "factory/*" ]
                model: { upstream: tape, tape: tape.yaml }
                """,
                Token);
            return world;
        }

        public async Task StartDaemonAsync()
        {
            var config = ConfigLoader.Load(Path.Combine(Folder, "drella.yaml"), isOptional: false);
            Assert.Empty(config.Problems);
            Daemon = await Drella.Daemon.Daemon.StartAsync(config.Config!, TimeProvider.System, LoggerFactory.Create(builder => builder.AddProvider(log).AddFilter("Microsoft", LogLevel.Warning)), Token);
            running = Daemon.RunAsync(stop.Token);
        }

        public async Task StartForgeAsync()
        {
            forge = await ForgeServer.StartAsync(new ForgeOptions { DataFolder = Path.Combine(Folder, "forge"), ListenUrl = address }, TimeProvider.System, NullLoggerFactory.Instance, Token);
            forge.Admin.EnsureUser(BuiltinForge.Bot, isBot: true);
            forge.Admin.EnsureUser(BuiltinForge.Human, isAdmin: true);
            forge.Admin.EnsureToken(BuiltinForge.Bot, "daemon", BotToken);
            forge.Admin.EnsureToken(BuiltinForge.Human, "keyboard", HumanToken);
            foreach (var repo in new[] { FactoryFixture.Tasks, FactoryFixture.Repo })
            {
                await BuiltinForge.EnsureRepositoryAsync(forge.Admin, Core.Forges.RepoName.Parse(repo), new Dictionary<string, string> { ["README.md"] = "Read me." }, Token);
            }
        }

        public async Task StopForgeAsync()
        {
            await forge!.DisposeAsync();
            forge = null;
        }

        public async Task MergeAsync(string name, string? text = null)
        {
            await person.MergeFileAsync(FactoryFixture.Tasks, $"in-progress/{name}.md", text ?? BadSpecHouse.Waiting(title: name), name, Token);
            Daemon?.Factory.Nudge();
        }

        public async Task<IReadOnlyList<string>> IssuesAsync() =>
            [.. (await person.GetAsync($"repos/{FactoryFixture.Tasks}/issues", Token)).AsArray().Where(issue => issue!["pull_request"] is null).Select(issue => issue!["title"]!.GetValue<string>())];

        public Task<Job> JobAsync(string name) => UntilAsync(() => Daemon.Core.Jobs.All.Select(live => live.Job).FirstOrDefault(job => job.Request.Source.Name == name), name);

        /// <summary>Waits for words in the daemon's log.</summary>
        public Task LogAsync(string words) => UntilAsync(() => log.Tail().Contains(words, StringComparison.Ordinal) ? words : null, words);

        public string Log() => log.Tail();

        public async ValueTask DisposeAsync()
        {
            await stop.CancelAsync();
            await running;
            if (Daemon is not null)
            {
                await Daemon.DisposeAsync();
            }

            if (forge is not null)
            {
                await forge.DisposeAsync();
            }

            person.Dispose();
            log.Dispose();
            stop.Dispose();
            Directory.Delete(Folder, recursive: true);
        }

        private Task<T> UntilAsync<T>(Func<T?> look, string what)
            where T : class => Polling.UntilAsync(() => Task.FromResult(look()), () => $"{what}:\n{log.Tail()}", Token);
    }
}
