using System.Globalization;
using System.Text;
using Drella.Core;
using Drella.Core.Forges;

namespace Drella.Testing.Fakes;

/// <summary>A forge in memory as one life of the daemon sees it: every call goes through the gate, so that it can fail before or after it was carried out.</summary>
public sealed class FakeForge(FakeForgeState state, PortGate gate) : IForge
{
    private static readonly DateTimeOffset LongAgo = new(2025, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public string Name => "fake";

    public Task<Actor> WhoAmIAsync(CancellationToken cancellationToken) => ReadAsync("whoami", () => FakeForgeState.Self, cancellationToken);

    public Task<Permission> PermissionAsync(RepoName repo, string login, CancellationToken cancellationToken) =>
        ReadAsync("permission", () => state.Rights.GetValueOrDefault(login, Permission.Read), cancellationToken);

    public Task<GitAccess> GitAccessAsync(RepoName repo, CancellationToken cancellationToken) =>
        ReadAsync("access", () => new GitAccess($"https://forge.test/{state.Repo(repo).Name}", "drella", "secret"), cancellationToken);

    public Task<Repo> RepoAsync(RepoName repo, CancellationToken cancellationToken) =>
        ReadAsync("repo", () => new Repo(state.Repo(repo).Name, FakeForgeState.DefaultBranch, IsPrivate: false, $"https://forge.test/{repo}"), cancellationToken);

    public Task<string?> BranchHeadAsync(RepoName repo, string branch, CancellationToken cancellationToken) =>
        ReadAsync("branch", () => state.Repo(repo).Branches.GetValueOrDefault(branch), cancellationToken);

    public Task<IReadOnlyList<TreeItem>> FolderAsync(RepoName repo, string commit, string path, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<TreeItem>>(
        "folder",
        () =>
        [
            .. state.Git[commit].Tree.Where(file => file.Key.StartsWith(path + "/", StringComparison.Ordinal))
                .Select(file => new TreeItem(file.Key[(path.Length + 1)..], "100644", BlobId(file.Value), file.Value.Length)),
        ],
        cancellationToken);

    public Task<ReadOnlyMemory<byte>> BlobAsync(RepoName repo, string blobId, int maxBytes, CancellationToken cancellationToken) => ReadAsync<ReadOnlyMemory<byte>>(
        "blob",
        () =>
        {
            var text = state.Repo(repo).Branches.Values.SelectMany(state.Git.History).SelectMany(commit => commit.Tree.Values).FirstOrDefault(text => BlobId(text) == blobId);
            return text is null ? throw NotFound($"blob {blobId}") : Encoding.UTF8.GetBytes(text);
        },
        cancellationToken);

    public Task<CommitInfo?> LastCommitAsync(RepoName repo, string branch, string path, CancellationToken cancellationToken) => ReadAsync(
        "last-commit",
        () => state.Git.History(state.Repo(repo).Branches[branch])
            .Where(commit => commit.Tree.GetValueOrDefault(path) != (commit.Parent is null ? null : state.Git[commit.Parent].Tree.GetValueOrDefault(path)))
            .Select(commit => new CommitInfo(commit.Id, commit.Author, commit.Author, $"{commit.Author}@forge.test", LongAgo))
            .FirstOrDefault(),
        cancellationToken);

    public Task<int?> PullRequestOfCommitAsync(RepoName repo, string commit, CancellationToken cancellationToken) =>
        ReadAsync("pull-of-commit", () => state.Repo(repo).MergedBy.TryGetValue(commit, out var number) ? number : (int?)null, cancellationToken);

    public Task<int> OpenIssueAsync(RepoName repo, string title, string body, EffectKey key, CancellationToken cancellationToken) => WriteAsync(
        "open-issue",
        () => (state.Repo(repo).Issues.Find(issue => issue.IsOpen && issue.Key == key) ?? state.OpenIssue(repo, FakeForgeState.Self.Login, title, body, key)).Number,
        cancellationToken);

    public Task MoveFileAsync(RepoName repo, string branch, string from, string to, string message, CancellationToken cancellationToken) => WriteAsync(
        "move-file",
        () =>
        {
            var where = state.Repo(repo);
            var tree = state.Git[where.Branches[branch]].Tree;
            if (tree.TryGetValue(from, out var text))
            {
                state.Push(repo, branch, state.Git.Commit(where.Branches[branch], [KeyValuePair.Create(from, (string?)null), KeyValuePair.Create(to, (string?)text)], message, FakeForgeState.Self.Login));
            }
            else if (!tree.ContainsKey(to))
            {
                throw NotFound(from);
            }
        },
        cancellationToken);

    public Task DeleteBranchAsync(RepoName repo, string branch, string expectedHead, CancellationToken cancellationToken) => WriteAsync(
        "delete-branch",
        () =>
        {
            var branches = state.Repo(repo).Branches;
            if (branches.TryGetValue(branch, out var head) && head != expectedHead)
            {
                throw new DriverException(false, $"{branch} moved") { Failure = DriverFailure.Conflict };
            }

            branches.Remove(branch);
        },
        cancellationToken);

    public Task<PullRequest?> FindPullRequestAsync(RepoName repo, string headBranch, CancellationToken cancellationToken) => ReadAsync(
        "find-pull", () => state.Repo(repo).Pulls.FindLast(pull => pull.Branch == headBranch) is { } found ? Show(found) : null, cancellationToken);

    public Task<PullRequest> PullRequestAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        ReadAsync("pull", () => Show(state.Pull(repo, number)), cancellationToken);

    public Task<PullRequest> OpenPullRequestAsync(RepoName repo, NewPullRequest request, CancellationToken cancellationToken) =>
        WriteAsync("open-pull", () => Show(state.OpenPull(repo, request)), cancellationToken);

    public Task UpdatePullRequestAsync(RepoName repo, int number, string? title, string? body, CancellationToken cancellationToken) => WriteAsync(
        "update-pull",
        () =>
        {
            var pull = state.Pull(repo, number);
            (pull.Title, pull.Body) = (title ?? pull.Title, body ?? pull.Body);
        },
        cancellationToken);

    public Task SetDraftAsync(RepoName repo, int number, bool draft, CancellationToken cancellationToken) => WriteAsync(
        "draft",
        () =>
        {
            var pull = state.Pull(repo, number);
            if (!pull.IsOpen)
            {
                throw new DriverException(false, $"#{number} is not open") { Failure = DriverFailure.Invalid };
            }

            state.SetState(pull, draft ? PullRequestState.Draft : PullRequestState.Open);
        },
        cancellationToken);

    public Task ClosePullRequestAsync(RepoName repo, int number, CancellationToken cancellationToken) => WriteAsync(
        "close-pull",
        () =>
        {
            if (state.Pull(repo, number) is { IsOpen: true } pull)
            {
                state.SetState(pull, PullRequestState.Closed);
            }
        },
        cancellationToken);

    public Task<IReadOnlyList<Remark>> RemarksAsync(RepoName repo, int number, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<Remark>>(
        "remarks", () => [.. state.Repo(repo).Remarks.Where(remark => remark.Number == number).Select(Show)], cancellationToken);

    public Task<IReadOnlyList<Remark>> CommentsAsync(RepoName repo, int number, CancellationToken cancellationToken) => ReadAsync<IReadOnlyList<Remark>>(
        "comments", () => [.. state.Repo(repo).Remarks.Where(remark => remark.Number == number && remark.Kind == RemarkKind.Comment).Select(Show)], cancellationToken);

    public Task<string> CommentAsync(RepoName repo, int number, string body, EffectKey key, CancellationToken cancellationToken) =>
        WriteAsync("comment", () => state.Say(repo, number, FakeForgeState.Self, RemarkKind.Comment, body, key).Id, cancellationToken);

    public Task<Remark?> FindCommentAsync(RepoName repo, int number, EffectKey key, CancellationToken cancellationToken) => ReadAsync(
        "find-comment",
        () => state.Repo(repo).Remarks.Find(remark => remark.Number == number && remark.Key == key) is { } found ? Show(found) : null,
        cancellationToken);

    public Task EditCommentAsync(RepoName repo, string commentId, string body, EffectKey key, CancellationToken cancellationToken) => WriteAsync(
        "edit-comment",
        () => (state.Repo(repo).Remarks.Find(remark => remark.Id == commentId) ?? throw NotFound($"comment {commentId}")).Body = body,
        cancellationToken);

    public Task<string> ReplyAsync(RepoName repo, int number, string threadId, string body, EffectKey key, CancellationToken cancellationToken) => WriteAsync(
        "reply",
        () => (state.Repo(repo).Remarks.Find(remark => remark.Number == number && remark.Key == key)
            ?? state.Say(repo, number, FakeForgeState.Self, RemarkKind.Inline, body, key, thread: threadId)).Id,
        cancellationToken);

    public Task ResolveThreadAsync(RepoName repo, int number, string threadId, CancellationToken cancellationToken) =>
        WriteAsync("resolve", () => state.Repo(repo).ResolvedThreads.Add(threadId), cancellationToken);

    public Task SubmitReviewAsync(RepoName repo, int number, NewReview review, EffectKey key, CancellationToken cancellationToken) =>
        WriteAsync("review", () => state.Say(repo, number, FakeForgeState.Self, RemarkKind.Review, review.Body, key, review.Verdict), cancellationToken);

    public Task<IReadOnlyList<Issue>> OpenIssuesAsync(RepoName repo, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<Issue>>("issues", () => [.. state.Repo(repo).Issues.Where(issue => issue.IsOpen).Select(issue => Show(repo, issue))], cancellationToken);

    public Task<Issue> IssueAsync(RepoName repo, int number, CancellationToken cancellationToken) =>
        ReadAsync("issue", () => Show(repo, Find(repo, number)), cancellationToken);

    public Task CloseIssueAsync(RepoName repo, int number, bool completed, CancellationToken cancellationToken) =>
        WriteAsync("close-issue", () => Find(repo, number).IsOpen = false, cancellationToken);

    public Task ReactAsync(RepoName repo, ReactionTarget target, Reaction reaction, CancellationToken cancellationToken) =>
        WriteAsync("react", () => state.Repo(repo).Reactions.Add((target, reaction)), cancellationToken);

    public Task<IReadOnlyList<CheckState>> ChecksAsync(RepoName repo, string commit, CancellationToken cancellationToken) =>
        ReadAsync<IReadOnlyList<CheckState>>("checks", () => [], cancellationToken);

    public Task SetStatusAsync(RepoName repo, string commit, StatusReport status, CancellationToken cancellationToken) =>
        WriteAsync("status", () => state.Repo(repo).Name, cancellationToken);

    public Task EnsureWebhookAsync(RepoName repo, string url, string secret, CancellationToken cancellationToken) =>
        WriteAsync("webhook", () => state.Repo(repo).Name, cancellationToken);

    private static DriverException NotFound(string what) => new(false, $"{what} is not there") { Failure = DriverFailure.NotFoundOrNoAccess };

    private static string BlobId(string text) => FakeGit.IdOf("blob " + text);

    private static Issue Show(RepoName repo, FakeIssue issue) => new(
        issue.Number, issue.Number.ToString(CultureInfo.InvariantCulture), $"https://forge.test/{repo}/issues/{issue.Number}", issue.Title, issue.Body, issue.Author, issue.IsOpen, [], LongAgo);

    private PullRequest Show(FakePull pull) => new(
        pull.Number, $"https://forge.test/{pull.Repo}/pull/{pull.Number}", pull.Title, pull.Body, FakeForgeState.Self, pull.State, pull.Base, pull.Branch,
        pull.MergedHead ?? state.Repo(pull.Repo).Branches.GetValueOrDefault(pull.Branch) ?? "", Mergeability.Clean, pull.MergeCommit, pull.MergedBy);

    private Remark Show(FakeRemark remark) => new(remark.Kind, remark.Id, remark.Author, remark.Body, remark.At, remark.At, $"https://forge.test/remark/{remark.Id}")
    {
        Verdict = remark.Verdict,
        Place = remark.Thread is { } thread ? new InlinePlace(thread, "src/a.txt", 1, "@@ -0,0 +1 @@", "", state.Repo(remark.Repo).ResolvedThreads.Contains(thread)) : null,
    };

    private FakeIssue Find(RepoName repo, int number) => state.Repo(repo).Issues.Find(issue => issue.Number == number) ?? throw NotFound($"issue {number}");

    private Task<T> ReadAsync<T>(string method, Func<T> act, CancellationToken cancellationToken) =>
        gate.RunAsync(new PortCall("forge", method, IsWrite: false), act, cancellationToken);

    private Task<T> WriteAsync<T>(string method, Func<T> act, CancellationToken cancellationToken) =>
        gate.RunAsync(new PortCall("forge", method, IsWrite: true), act, cancellationToken);

    private Task WriteAsync(string method, Action act, CancellationToken cancellationToken) =>
        gate.RunAsync(new PortCall("forge", method, IsWrite: true), act, cancellationToken);
}
