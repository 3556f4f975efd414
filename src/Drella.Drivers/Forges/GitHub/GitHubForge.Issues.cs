using System.Text.Json;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

public sealed partial class GitHubForge
{
    public async Task<IReadOnlyList<Issue>> OpenIssuesAsync(RepoName repo, CancellationToken cancellationToken)
    {
        var wires = await _api.ListAsync<WireIssue>(repo, Url($"/repos/{repo}/issues?state=open&per_page=100"), cancellationToken);
        return [.. wires.Where(w => !IsPullRequest(w)).Select(Convert.Issue)];
    }

    public async Task<Issue> IssueAsync(RepoName repo, int number, CancellationToken cancellationToken)
    {
        var wire = await _api.GetAsync<WireIssue>(repo, Url($"/repos/{repo}/issues/{number}"), cancellationToken);
        return IsPullRequest(wire)
            ? throw Failed(DriverFailure.NotFoundOrNoAccess, $"{repo}#{number} is a pull request")
            : Convert.Issue(wire);
    }

    public Task CloseIssueAsync(RepoName repo, int number, bool completed, CancellationToken cancellationToken) => _api.WriteAsync(
        HttpMethod.Patch, repo, Url($"/repos/{repo}/issues/{number}"), new WireIssueChange("closed", completed ? "completed" : "not_planned"), cancellationToken);

    public async Task<IReadOnlyList<Remark>> CommentsAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        [.. (await CommentWiresAsync(repo, number, cancellationToken)).Select(Convert.Comment)];

    public async Task<string> CommentAsync(RepoName repo, int number, string body, EffectKey key, CancellationToken cancellationToken)
    {
        var wire = await _api.WriteAsync<WireBody, WireComment>(
            HttpMethod.Post, repo, Url($"/repos/{repo}/issues/{number}/comments"), new WireBody(Marker.Append(body, key)), cancellationToken);
        return Convert.Id(wire.Id, "id");
    }

    public async Task<Remark?> FindCommentAsync(RepoName repo, int number, EffectKey key, CancellationToken cancellationToken)
    {
        var me = await MeAsync(cancellationToken);
        var wires = await CommentWiresAsync(repo, number, cancellationToken);
        return wires.FirstOrDefault(w => Convert.Actor(w.User).Id == me.Id && Marker.KeyOf(w.Body) == key) is { } found ? Convert.Comment(found) : null;
    }

    public Task EditCommentAsync(RepoName repo, string commentId, string body, EffectKey key, CancellationToken cancellationToken) => _api.WriteAsync(
        HttpMethod.Patch, repo, Url($"/repos/{repo}/issues/comments/{commentId}"), new WireBody(Marker.Append(body, key)), cancellationToken);

    public Task ReactAsync(RepoName repo, ReactionTarget target, Reaction reaction, CancellationToken cancellationToken)
    {
        var content = reaction switch
        {
            Reaction.Eyes => "eyes",
            Reaction.Rocket => "rocket",
            Reaction.Confused => "confused",
            Reaction.ThumbsUp => "+1",
            Reaction.Hooray => "hooray",
            _ => throw new ArgumentOutOfRangeException(nameof(reaction)),
        };
        var url = target.Kind switch
        {
            ReactionTargetKind.Issue => Url($"/repos/{repo}/issues/{target.Id}/reactions"),
            ReactionTargetKind.Comment => Url($"/repos/{repo}/issues/comments/{target.Id}/reactions"),
            ReactionTargetKind.Inline => Url($"/repos/{repo}/pulls/comments/{target.Id}/reactions"),
            _ => throw new ArgumentOutOfRangeException(nameof(target)),
        };
        return _api.WriteAsync(HttpMethod.Post, repo, url, new WireReaction(content), cancellationToken);
    }

    private Task<List<WireComment>> CommentWiresAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        _api.ListAsync<WireComment>(repo, Url($"/repos/{repo}/issues/{number}/comments?per_page=100"), cancellationToken);

    private static bool IsPullRequest(WireIssue wire) => wire.PullRequest is { ValueKind: JsonValueKind.Object };
}
