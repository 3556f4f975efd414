using System.Globalization;
using System.Text.Json.Nodes;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

public sealed partial class GitHubForge
{
    private const string Threads = """
        query($owner: String!, $name: String!, $number: Int!, $after: String) {
          repository(owner: $owner, name: $name) {
            pullRequest(number: $number) {
              reviewThreads(first: 100, after: $after) {
                pageInfo { hasNextPage endCursor }
                nodes { id isResolved comments(first: 1) { nodes { id } } }
              }
            }
          }
        }
        """;

    private const string ResolveThread = """
        mutation($id: ID!) { resolveReviewThread(input: {threadId: $id}) { thread { id isResolved } } }
        """;

    public async Task<IReadOnlyList<Remark>> RemarksAsync(RepoName repo, int number, CancellationToken cancellationToken)
    {
        // A review and its inline comments come into being together. Reviews are read first, and comments of a review that was not there yet
        // wait for the next look, so that a review is always seen as the unit that it is.
        var reviews = await ReviewWiresAsync(repo, number, cancellationToken);
        var known = reviews.Select(review => review.Id).OfType<long>().ToHashSet();
        var inline = (await InlineWiresAsync(repo, number, cancellationToken)).Where(w => w.PullRequestReviewId is not { } review || known.Contains(review)).ToList();
        var comments = await CommentsAsync(repo, number, cancellationToken);
        var threads = await ThreadsAsync(repo, number, inline, cancellationToken);
        IEnumerable<Remark> remarks =
        [
            .. comments,
            .. inline.Select(w => Convert.Inline(w, threads.TryGetValue(Convert.ThreadId(w), out var thread) && thread.IsResolved == true)),
            .. reviews.Select(Convert.Review).OfType<Remark>(),
        ];
        return [.. remarks.OrderBy(r => r.CreatedAt)];
    }

    public async Task<string> ReplyAsync(
        RepoName repo, int number, string threadId, string body, EffectKey key, CancellationToken cancellationToken)
    {
        var me = await MeAsync(cancellationToken);
        var thread = (await InlineWiresAsync(repo, number, cancellationToken)).Where(w => Convert.ThreadId(w) == threadId).ToList();
        if (thread.Count == 0)
        {
            throw NoThread(repo, number, threadId);
        }

        if (thread.FirstOrDefault(w => Convert.Actor(w.User).Id == me.Id && Marker.KeyOf(w.Body) == key) is { } done)
        {
            return Convert.Id(done.Id, "id");
        }

        var marked = Marker.Append(body, key);
        try
        {
            return Convert.Id((await _api.WriteAsync<WireBody, WireInlineComment>(
                HttpMethod.Post, repo, Url($"/repos/{repo}/pulls/{number}/comments/{threadId}/replies"), new WireBody(marked), cancellationToken)).Id, "id");
        }
        catch (DriverException e) when (e.Failure is DriverFailure.NotFoundOrNoAccess or DriverFailure.Forbidden)
        {
            // Closed to apps, as the description has it. Beside in_reply_to the forge ignores the other fields, yet wants them.
            var top = thread[0];
            var reply = new WireNewReply(
                marked, Convert.Required(top.CommitId, "commit_id"), Convert.Required(top.Path, "path"), long.Parse(threadId, CultureInfo.InvariantCulture));
            return Convert.Id((await _api.WriteAsync<WireNewReply, WireInlineComment>(
                HttpMethod.Post, repo, Url($"/repos/{repo}/pulls/{number}/comments"), reply, cancellationToken)).Id, "id");
        }
    }

    public async Task ResolveThreadAsync(RepoName repo, int number, string threadId, CancellationToken cancellationToken)
    {
        var inline = await InlineWiresAsync(repo, number, cancellationToken);
        var threads = await ThreadsAsync(repo, number, inline, cancellationToken);
        if (!threads.TryGetValue(threadId, out var thread))
        {
            throw NoThread(repo, number, threadId);
        }

        if (thread.IsResolved != true)
        {
            await _api.GraphQlAsync<WireGraphNothing>(
                repo, ResolveThread, new JsonObject { ["id"] = Convert.Required(thread.Id, "id") }, isQuery: false, cancellationToken);
        }
    }

    public async Task SubmitReviewAsync(RepoName repo, int number, NewReview review, EffectKey key, CancellationToken cancellationToken)
    {
        var me = await MeAsync(cancellationToken);
        var earlier = await ReviewWiresAsync(repo, number, cancellationToken);
        if (earlier.Any(w => w.State != "PENDING" && Convert.Actor(w.User).Id == me.Id && Marker.KeyOf(w.Body) == key))
        {
            return;
        }

        var files = review.Comments.Count == 0
            ? []
            : await _api.ListAsync<WireFile>(repo, Url($"/repos/{repo}/pulls/{number}/files?per_page=100"), cancellationToken);
        var placed = DiffLines.Split(files, review.Comments);
        try
        {
            await PostReviewAsync(repo, number, review, placed, key, cancellationToken);
        }
        catch (DriverException e) when (e.Failure == DriverFailure.Invalid && placed.Inside.Count > 0)
        {
            // The diff moved, or the forge draws it otherwise than we read it: better said in the body than not said.
            await PostReviewAsync(repo, number, review, new DiffLines.Placed([], review.Comments), key, cancellationToken);
        }
    }

    private Task PostReviewAsync(
        RepoName repo, int number, NewReview review, DiffLines.Placed placed, EffectKey key, CancellationToken cancellationToken)
    {
        var verdict = review.Verdict switch
        {
            ReviewVerdict.Approve => "APPROVE",
            ReviewVerdict.RequestChanges => "REQUEST_CHANGES",
            ReviewVerdict.Comment => "COMMENT",
            _ => throw new ArgumentOutOfRangeException(nameof(review)),
        };
        var wire = new WireNewReview(
            review.Commit, Marker.Append(DiffLines.WithStrays(review.Body, placed.Outside), key), verdict,
            placed.Inside.Count == 0 ? null : [.. placed.Inside.Select(c => new WireNewInline(c.Path, c.Line, "RIGHT", Marker.Defuse(c.Body)))]);
        return _api.WriteAsync(HttpMethod.Post, repo, Url($"/repos/{repo}/pulls/{number}/reviews"), wire, cancellationToken);
    }

    private Task<List<WireInlineComment>> InlineWiresAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        _api.ListAsync<WireInlineComment>(repo, Url($"/repos/{repo}/pulls/{number}/comments?per_page=100"), cancellationToken);

    private Task<List<WireReview>> ReviewWiresAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        _api.ListAsync<WireReview>(repo, Url($"/repos/{repo}/pulls/{number}/reviews?per_page=100"), cancellationToken);

    /// <summary>
    /// Threads by the id of their top comment. REST knows no threads: they are joined by the node id of the first comment still there, which
    /// also holds when the top comment was deleted. (The numeric id in GraphQL ends at 31 bits, below today's ids.)
    /// </summary>
    private async Task<Dictionary<string, WireThread>> ThreadsAsync(
        RepoName repo, int number, List<WireInlineComment> inline, CancellationToken cancellationToken)
    {
        var threads = new Dictionary<string, WireThread>(StringComparer.Ordinal);
        if (inline.Count == 0)
        {
            return threads;
        }

        var byNode = inline.Where(w => w.NodeId is not null).DistinctBy(w => w.NodeId).ToDictionary(w => w.NodeId!, StringComparer.Ordinal);
        string? after = null;
        for (var page = 0; page < 100; page++)
        {
            var variables = new JsonObject { ["owner"] = repo.Owner, ["name"] = repo.Name, ["number"] = number, ["after"] = after };
            var data = await _api.GraphQlAsync<WireThreadsData>(repo, Threads, variables, isQuery: true, cancellationToken);
            var list = Convert.Required(data.Repository?.PullRequest?.ReviewThreads, "reviewThreads");
            foreach (var thread in (list.Nodes ?? []).OfType<WireThread>())
            {
                if (thread.Comments?.Nodes is [{ Id: { } first }, ..] && byNode.TryGetValue(first, out var comment))
                {
                    threads[Convert.ThreadId(comment)] = thread;
                }
            }

            if (list.PageInfo?.HasNextPage != true || list.PageInfo.EndCursor is not { } next || next == after)
            {
                return threads;
            }

            after = next;
        }

        throw Failed(DriverFailure.Exhausted, $"{repo}#{number} has more threads than can be read");
    }

    private static DriverException NoThread(RepoName repo, int number, string threadId) =>
        Failed(DriverFailure.NotFoundOrNoAccess, $"{repo}#{number} has no thread {threadId}");
}
