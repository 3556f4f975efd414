using Drella.Configuration;
using Drella.Core;
using Drella.Core.Agents;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.PullRequests;
using Drella.Core.Secrets;
using Drella.Drivers.Agents;
using Drella.Drivers.Agents.ClaudeCode;
using Drella.Drivers.Forges.GitHub;
using Drella.Drivers.Git;
using Drella.Drivers.Journals.Sqlite;
using Drella.Drivers.Sandboxes.Gjoll;
using Drella.Gateway;
using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Drella.Gateway.Tools;
using Drella.Web;
using Gjoll.Egress;
using Microsoft.Extensions.Logging;

namespace Drella.Daemon;

/// <summary>The one place where the factory is put together. Starting takes the data folder's lock; disposing gives everything back in turn.</summary>
internal sealed class Daemon : IAsyncDisposable
{
    private readonly Stack<IAsyncDisposable> owned = new();

    private Daemon(DrellaConfig config) => Config = config;

    public DrellaConfig Config { get; }

    public BuiltinForge? Builtin { get; private set; }

    public required SecretFolder Secrets { get; init; }

    public IForge Forge { get; private set; } = null!;

    public SqliteJournalStore Store { get; private set; } = null!;

    public FactoryCore Core { get; private set; } = null!;

    public Factory Factory { get; private set; } = null!;

    public IQuarantine Quarantine { get; private set; } = null!;

    public GjollHost Sandboxes => Providers.Host;

    public SandboxChoice Providers { get; private set; } = null!;

    public IReadOnlyList<IAgentAdapter> Agents { get; } = [new ClaudeCodeAdapter()];

    /// <summary>Puts everything together and folds the journal. Throws <see cref="StartFailure"/> for what a person has to mend.</summary>
    public static async Task<Daemon> StartAsync(DrellaConfig config, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var lockedFolder = DataFolder.Open(config.DataFolder, time);
        var daemon = new Daemon(config with { Listen = FixedPort(config.Listen) }) { Secrets = new SecretFolder(config.DataFolder) };
        daemon.Own(lockedFolder);
        try
        {
            await daemon.BuildAsync(lockedFolder, time, loggers, cancellationToken);
            return daemon;
        }
        catch
        {
            await daemon.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs the factory until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellationToken) => Factory.RunAsync(cancellationToken);

    /// <summary>Whether the factory can do its work right now.</summary>
    public async Task<HealthReport> HealthAsync(CancellationToken cancellationToken)
    {
        var sandboxes = await Sandboxes.ProbeAsync(cancellationToken);
        HealthItem forge;
        try
        {
            forge = new HealthItem("forge", true, $"answers as {(await Forge.WhoAmIAsync(cancellationToken)).Login}");
        }
        catch (DriverException error)
        {
            forge = new HealthItem("forge", false, error.Message);
        }

        return new HealthReport([forge, new HealthItem("sandboxes", sandboxes.Works, sandboxes.Problem ?? sandboxes.Provider)]);
    }

    /// <summary>Has the forge call us on changes; on the built-in forge as its administrator, elsewhere with the rights of our account.</summary>
    public Task EnsureWebhookAsync(RepoName repo, string url, string secret, CancellationToken cancellationToken)
    {
        if (Builtin is null)
        {
            return Forge.EnsureWebhookAsync(repo, url, secret, cancellationToken);
        }

        Builtin.Admin.EnsureWebhook(repo.Owner, repo.Name, url, secret, ["*"]);
        return Task.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        while (owned.TryPop(out var next))
        {
            await next.DisposeAsync();
        }
    }

    private async Task BuildAsync(DataFolder folder, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        Store = Own(await SqliteJournalStore.OpenAsync(new SqliteJournalOptions { Folder = folder }, time, loggers.CreateLogger<SqliteJournalStore>(), cancellationToken));
        var journal = Environment.GetEnvironmentVariable("DRELLA_FAILPOINT") is { Length: > 0 } point ? new Failpoint(point).Around(Store.Journal) : Store.Journal;
        Forge = await ConnectForgeAsync(time, loggers, cancellationToken);
        Providers = Own(await SandboxChoice.MakeAsync(Config, Config.DataFolder, Programs.Root(Config.DataFolder), time, loggers, cancellationToken));
        await Providers.SweepOthersAsync(Config, Config.DataFolder, time, loggers, cancellationToken);
        Providers.Prepare();
        Quarantine = new Quarantine(new QuarantineOptions { Folder = Path.Combine(Config.DataFolder, "quarantine") }, time, loggers.CreateLogger<Quarantine>());
        var upstream = Upstream.Open(Config, time, id => Core!.Jobs.Find(id)?.Job);
        Own(upstream);
        Core = new FactoryCore(
            new FactoryPorts
            {
                Journal = journal,
                Blobs = Store.Blobs,
                Forge = Forge,
                Quarantine = Quarantine,
                Sandboxes = Sandboxes,
                Agents = Agents,
                Time = time,
                Loggers = loggers,
            },
            Settings.Factory(Config, Config.PublicUrl ?? Config.Listen, Providers.IsSlow),
            new ContentPolicyOptions(),
            upstream.Model.Secrets);
        await Core.Jobs.LoadAsync(cancellationToken);
        var doors = Own(GatewayRegistration.Full(
            new GatewayOptions(
                new GatehouseOptions { Folder = Path.Combine(Config.DataFolder, "d") }, new ModelOptions(), new EgressOptions(), new ToolsOptions()),
            upstream.Model,
            Core.Ledger,
            Core.Desk,
            Core.Audit,
            time,
            loggers));
        Factory = Core.Build(doors, Settings.Caps(Config), Settings.Intake(Config), ReadCatalogue(), Settings.Rhythm(Config));
    }

    private async Task<IForge> ConnectForgeAsync(TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        if (Config.Forge.Kind == "builtin")
        {
            Builtin = Own(await BuiltinForge.StartAsync(Config, Secrets, time, loggers, cancellationToken));
            return Builtin.Connect(time, loggers);
        }

        return new GitHubForge(
            new GitHubOptions { Name = "github", ApiUrl = Config.Forge.ApiUrl, Token = ForgeToken() }, null, time, loggers.CreateLogger<GitHubForge>());
    }

    private string ForgeToken()
    {
        var token = Config.Forge.TokenFile is { } file && File.Exists(Path.Combine(Config.Folder, file))
            ? File.ReadAllText(Path.Combine(Config.Folder, file)).Trim()
            : Config.Forge.TokenEnvironment is { } name ? Environment.GetEnvironmentVariable(name) : null;
        return token is { Length: > 0 }
            ? token
            : throw new StartFailure("forge.token_env: the token of the forge is not there; set the variable, or write it into the file of forge.token_file");
    }

    private Core.Intake.Catalogue ReadCatalogue()
    {
        var problems = new List<string>();
        var roles = RoleShelf.Load(Config.Roles is { } folder ? Path.Combine(Config.Folder, folder) : null, problems);
        var catalogue = Settings.Catalogue(Config, roles, [.. Agents.Select(agent => agent.Id)], Providers.IsSlow, problems);
        problems.AddRange(Config.Profiles.Values.SelectMany(profile => GatewayRegistration.HostPatternProblems(profile.AllowedHosts)));
        return problems.Count == 0 ? catalogue : throw new StartFailure(string.Join('\n', problems));
    }

    // Links to the dashboard are written before it listens, so a free port is chosen first.
    private static string FixedPort(string listen)
    {
        var address = new UriBuilder(listen);
        if (address.Port == 0)
        {
            using var probe = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
            probe.Start();
            address.Port = ((System.Net.IPEndPoint)probe.LocalEndpoint).Port;
        }

        return address.Uri.GetLeftPart(UriPartial.Authority);
    }

    private T Own<T>(T part)
        where T : class
    {
        owned.Push(part as IAsyncDisposable ?? new Once((IDisposable)part));
        return part;
    }

    private sealed class Once(IDisposable inner) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            inner.Dispose();
            return ValueTask.CompletedTask;
        }
    }
}

/// <summary>The daemon cannot start, and a person can mend it; the message says how.</summary>
internal sealed class StartFailure(string message) : Exception(message);
