using Drella.Configuration;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub;
using Drella.Forge;
using Microsoft.Extensions.Logging;

namespace Drella.Daemon;

/// <summary>
/// The forge that serves when none is configured: its server, our bot account on it, and an account for the person at the keyboard.
/// </summary>
internal sealed class BuiltinForge : IAsyncDisposable
{
    public const string Bot = "drellabot";
    public const string Human = "operator";
    public const string DefaultOwner = "factory";

    private readonly ForgeServer server;

    private BuiltinForge(ForgeServer server, string humanToken)
    {
        this.server = server;
        HumanToken = humanToken;
    }

    public Uri Url => server.BaseUrl;

    public ForgeAdmin Admin => server.Admin;

    /// <summary>Token of the person at the keyboard; kept in the data folder.</summary>
    public string HumanToken { get; }

    public static async Task<BuiltinForge> StartAsync(DrellaConfig config, SecretFolder secrets, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var server = await Listening.OnAsync("forge.listen", config.Forge.Listen, () => ForgeServer.StartAsync(
            new ForgeOptions { DataFolder = Path.Combine(config.DataFolder, "forge"), ListenUrl = config.Forge.Listen }, time, loggers, cancellationToken));
        var humanToken = secrets.Ensure("forge-operator");
        server.Admin.EnsureUser(Bot, config.IdentityName, config.IdentityEmail, isBot: true);
        server.Admin.EnsureUser(Human, isAdmin: true);
        server.Admin.EnsureUser(DefaultOwner);
        server.Admin.EnsureToken(Human, "keyboard", humanToken);
        await EnsureRepositoriesAsync(config, server.Admin, cancellationToken);
        return new BuiltinForge(server, humanToken);
    }

    /// <summary>The driver, acting as our bot with a token that no file keeps.</summary>
    public IForge Connect(TimeProvider time, ILoggerFactory loggers) => new GitHubForge(
        new GitHubOptions
        {
            Name = "builtin",
            ApiUrl = $"{Url.ToString().TrimEnd('/')}/api/v3",
            WebUrl = Url.ToString().TrimEnd('/'),
            Token = server.Admin.IssueToken(Bot, "daemon"),
            AllowPlainHttp = true,
            WriteGap = TimeSpan.Zero,
        },
        null,
        time,
        loggers.CreateLogger<GitHubForge>());

    public ValueTask DisposeAsync() => server.DisposeAsync();

    /// <summary>Makes an account and a repository on it that the factory may write to.</summary>
    public static async Task EnsureRepositoryAsync(
        ForgeAdmin admin, RepoName repo, IReadOnlyDictionary<string, string>? files, CancellationToken cancellationToken)
    {
        admin.EnsureUser(repo.Owner);
        await admin.EnsureRepositoryAsync(repo.Owner, repo.Name, files, isPrivate: true, cancellationToken);
        admin.Grant(repo.Owner, repo.Name, Bot, ForgeRole.Write);
    }

    private static async Task EnsureRepositoriesAsync(DrellaConfig config, ForgeAdmin admin, CancellationToken cancellationToken)
    {
        foreach (var tasks in config.Tasks)
        {
            await EnsureRepositoryAsync(admin, RepoName.Parse(tasks.Repo), TasksTemplate.Files(), cancellationToken);
        }
    }
}
