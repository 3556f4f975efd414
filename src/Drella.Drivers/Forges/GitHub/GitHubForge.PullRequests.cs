using System.Text.Json.Nodes;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

public sealed partial class GitHubForge
{
    private const string MarkReady = """
        mutation($id: ID!) { markPullRequestReadyForReview(input: {pullRequestId: $id}) { pullRequest { id isDraft } } }
        """;

    private const string MarkDraft = """
        mutation($id: ID!) { convertPullRequestToDraft(input: {pullRequestId: $id}) { pullRequest { id isDraft } } }
        """;

    public async Task<PullRequest?> FindPullRequestAsync(RepoName repo, string headBranch, CancellationToken cancellationToken) =>
        await FindPullAsync(repo, headBranch, cancellationToken) is { } wire ? Convert.PullRequest(wire) : null;

    public async Task<PullRequest> PullRequestAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        Convert.PullRequest(await PullAsync(repo, number, cancellationToken));

    public async Task<PullRequest> OpenPullRequestAsync(RepoName repo, NewPullRequest request, CancellationToken cancellationToken)
    {
        var body = new WireNewPull(
            request.Title, Marker.Append(request.Body, request.Key), request.HeadBranch, request.BaseBranch, request.Draft);
        try
        {
            return Convert.PullRequest(
                await _api.WriteAsync<WireNewPull, WirePull>(HttpMethod.Post, repo, Url($"/repos/{repo}/pulls"), body, cancellationToken));
        }
        catch (DriverException e) when (e.Failure == DriverFailure.Conflict)
        {
            // The same effect tried again: what stands there is ours if we wrote it under this key.
            var me = await MeAsync(cancellationToken);
            var found = await FindPullAsync(repo, request.HeadBranch, cancellationToken);
            if (found is { State: "open" } && Convert.Actor(found.User).Id == me.Id && Marker.KeyOf(found.Body) == request.Key)
            {
                return Convert.PullRequest(found);
            }

            throw;
        }
    }

    public async Task UpdatePullRequestAsync(RepoName repo, int number, string? title, string? body, CancellationToken cancellationToken)
    {
        if (title is null && body is null)
        {
            return;
        }

        var marked = body is null ? null : Marker.Carry((await PullAsync(repo, number, cancellationToken)).Body, body);
        await ChangePullAsync(repo, number, new WirePullChange(title, marked, null), cancellationToken);
    }

    public async Task SetDraftAsync(RepoName repo, int number, bool draft, CancellationToken cancellationToken)
    {
        var wire = await PullAsync(repo, number, cancellationToken);
        if (wire.Draft == draft)
        {
            return;
        }

        // REST ignores the field; only GraphQL changes it.
        await _api.GraphQlAsync<WireGraphNothing>(
            repo, draft ? MarkDraft : MarkReady, new JsonObject { ["id"] = Convert.Required(wire.NodeId, "node_id") }, isQuery: false, cancellationToken);
    }

    public Task ClosePullRequestAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        ChangePullAsync(repo, number, new WirePullChange(null, null, "closed"), cancellationToken);

    private Task<WirePull> PullAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        _api.GetAsync<WirePull>(repo, Url($"/repos/{repo}/pulls/{number}"), cancellationToken);

    private Task ChangePullAsync(RepoName repo, int number, WirePullChange change, CancellationToken cancellationToken) =>
        _api.WriteAsync(HttpMethod.Patch, repo, Url($"/repos/{repo}/pulls/{number}"), change, cancellationToken);

    private async Task<WirePull?> FindPullAsync(RepoName repo, string headBranch, CancellationToken cancellationToken)
    {
        var url = Url($"/repos/{repo}/pulls?state=all&head={repo.Owner + ":" + headBranch:q}&sort=created&direction=desc&per_page=100");
        await foreach (var page in _api.PagesAsync<WirePull?[]>(repo, url, cancellationToken))
        {
            // A filter that the forge does not understand is ignored by it, and forks may have a branch of the same name.
            if (page.FirstOrDefault(p => p?.Head?.Ref == headBranch && p.Head.Repo?.Id is { } id && id == p.Base?.Repo?.Id) is { Number: { } number })
            {
                return await PullAsync(repo, number, cancellationToken);
            }
        }

        return null;
    }
}
