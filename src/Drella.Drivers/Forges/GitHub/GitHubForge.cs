using System.Collections.Concurrent;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using Microsoft.Extensions.Logging;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

/// <summary>
/// GitHub, GitHub Enterprise, or the built-in forge, which speaks the same dialect. Keeps connections, ETags and rate limits, so one instance
/// serves one identity for the life of the daemon.
/// </summary>
public sealed partial class GitHubForge : IForge, IDisposable
{
    private readonly GitHubOptions _options;
    private readonly GitHubApi _api;
    private readonly ConcurrentDictionary<string, string> _hooksSet = new(StringComparer.Ordinal);
    private Actor? _me;

    /// <summary>Uses <paramref name="handler"/> for the network when given, and then owns it. <see cref="ArgumentException"/> when the options are wrong.</summary>
    public GitHubForge(GitHubOptions options, HttpMessageHandler? handler, TimeProvider time, ILogger<GitHubForge> logger)
    {
        _options = options;
        _api = new GitHubApi(options, handler, time, logger);
    }

    public string Name => _options.Name;

    public async Task<Actor> WhoAmIAsync(CancellationToken cancellationToken)
    {
        if (_options.App is null)
        {
            return _me = Convert.Actor(await _api.GetAsync<WireUser>(repo: null, "/user", cancellationToken));
        }

        // An app acts as the user "slug[bot]", whose id stands on its comments; the app's own id is another number.
        var slug = Convert.Required((await _api.GetAsAppAsync<WireApp>("/app", cancellationToken)).Slug, "slug");
        return _me = Convert.Actor(await _api.GetAsync<WireUser>(repo: null, Url($"/users/{slug + "[bot]"}"), cancellationToken));
    }

    public async Task<Permission> PermissionAsync(RepoName repo, string login, CancellationToken cancellationToken)
    {
        var wire = await _api.TryGetAsync<WirePermission>(repo, Url($"/repos/{repo}/collaborators/{login}/permission"), cancellationToken);
        if (wire is null)
        {
            await RepoAsync(repo, cancellationToken);
            return Permission.None;
        }

        return Convert.Permission(wire);
    }

    public async Task<GitAccess> GitAccessAsync(RepoName repo, CancellationToken cancellationToken) => new(
        $"{_api.Endpoints.Web.AbsoluteUri.TrimEnd('/')}/{Url($"{repo}")}.git", "x-access-token", await _api.TokenAsync(repo, cancellationToken));

    public async Task<Repo> RepoAsync(RepoName repo, CancellationToken cancellationToken) =>
        Convert.Repo(repo, await _api.GetAsync<WireRepository>(repo, Url($"/repos/{repo}"), cancellationToken));

    public async Task EnsureWebhookAsync(RepoName repo, string url, string secret, CancellationToken cancellationToken)
    {
        string[] events = ["push", "issues", "issue_comment", "pull_request", "pull_request_review", "pull_request_review_comment",
            "pull_request_review_thread", "check_run", "check_suite", "status"];
        var hooks = await _api.ListAsync<WireHook>(repo, Url($"/repos/{repo}/hooks?per_page=100"), cancellationToken);
        var config = new WireHookConfig(url, "json", "0", secret);
        var key = $"{repo}\n{url}";
        if (hooks.FirstOrDefault(h => h.Config?.Url == url) is not { } hook)
        {
            await _api.WriteAsync(HttpMethod.Post, repo, Url($"/repos/{repo}/hooks"), new WireNewHook("web", true, events, config), cancellationToken);
        }
        else if (hook.Active != true || hook.Config is not { ContentType: "json" } || hook.Config.InsecureSsl == "1"
            || !events.ToHashSet().SetEquals((hook.Events ?? []).OfType<string>()) || _hooksSet.GetValueOrDefault(key) != secret)
        {
            // The secret is never shown, so a hook that this process did not write may have another one.
            await _api.WriteAsync(
                HttpMethod.Patch, repo, Url($"/repos/{repo}/hooks/{Convert.Id(hook.Id, "id")}"), new WireHookChange(true, events, config), cancellationToken);
        }

        _hooksSet[key] = secret;
    }

    public void Dispose() => _api.Dispose();

    private async Task<Actor> MeAsync(CancellationToken cancellationToken) => _me ?? await WhoAmIAsync(cancellationToken);
}
