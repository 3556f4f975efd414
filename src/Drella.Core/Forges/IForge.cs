namespace Drella.Core.Forges;

/// <summary>
/// A forge as the factory sees it; shaped to fit GitHub, Gitea and GitLab. Thread-safe. Every call goes to the forge or to a
/// validated cache. Errors: <see cref="DriverException"/> with its <see cref="DriverFailure"/>. Writes take an
/// <see cref="EffectKey"/>, kept in the written body as a hidden marker where the forge has room for it; a caller whose outcome is
/// unknown looks the marker up (the Find methods) before it writes again. Lists are complete: the driver follows pages.
/// </summary>
public interface IForge
{
    /// <summary>Name that this forge has in the configuration and in keys, such as <c>builtin</c>.</summary>
    string Name { get; }

    /// <summary>The account we act as.</summary>
    Task<Actor> WhoAmIAsync(CancellationToken cancellationToken);

    /// <summary>What a user may do in a repository. Decides who may command the factory.</summary>
    Task<Permission> PermissionAsync(RepoName repo, string login, CancellationToken cancellationToken);

    /// <summary>How Git reaches the repository. The secret stays on the host.</summary>
    Task<GitAccess> GitAccessAsync(RepoName repo, CancellationToken cancellationToken);

    Task<Repo> RepoAsync(RepoName repo, CancellationToken cancellationToken);

    /// <summary>Object id that a branch points to, or null when there is no such branch.</summary>
    Task<string?> BranchHeadAsync(RepoName repo, string branch, CancellationToken cancellationToken);

    /// <summary>Entries directly in a folder of the tree at a commit; empty when the folder is absent. Modes tell symlinks and submodules.</summary>
    Task<IReadOnlyList<TreeItem>> FolderAsync(RepoName repo, string commit, string path, CancellationToken cancellationToken);

    /// <summary>A blob's bytes, at most <paramref name="maxBytes"/>; <see cref="DriverFailure.Exhausted"/> when it is larger.</summary>
    Task<ReadOnlyMemory<byte>> BlobAsync(RepoName repo, string blobId, int maxBytes, CancellationToken cancellationToken);

    /// <summary>The last commit on the branch that touched the path: who merged a spec, and when. Null when none did.</summary>
    Task<CommitInfo?> LastCommitAsync(RepoName repo, string branch, string path, CancellationToken cancellationToken);

    /// <summary>Number of the pull request that brought a commit to its branch, or null when none did.</summary>
    Task<int?> PullRequestOfCommitAsync(RepoName repo, string commit, CancellationToken cancellationToken);

    /// <summary>Opens an issue, or finds our open one that carries the key. Returns its number.</summary>
    Task<int> OpenIssueAsync(RepoName repo, string title, string body, EffectKey key, CancellationToken cancellationToken);

    /// <summary>
    /// Moves a file in one commit on a branch through the forge's API. Succeeds without effect when the source is absent and the target present.
    /// </summary>
    Task MoveFileAsync(RepoName repo, string branch, string from, string to, string message, CancellationToken cancellationToken);

    /// <summary>Deletes a branch if it still points to <paramref name="expectedHead"/>; absent is success.</summary>
    Task DeleteBranchAsync(RepoName repo, string branch, string expectedHead, CancellationToken cancellationToken);

    /// <summary>The newest pull request for a head branch, in whatever state, or null. The look before every create.</summary>
    Task<PullRequest?> FindPullRequestAsync(RepoName repo, string headBranch, CancellationToken cancellationToken);

    Task<PullRequest> PullRequestAsync(RepoName repo, int number, CancellationToken cancellationToken);

    Task<PullRequest> OpenPullRequestAsync(RepoName repo, NewPullRequest request, CancellationToken cancellationToken);

    /// <summary>Changes title or body; null leaves as is.</summary>
    Task UpdatePullRequestAsync(RepoName repo, int number, string? title, string? body, CancellationToken cancellationToken);

    Task SetDraftAsync(RepoName repo, int number, bool draft, CancellationToken cancellationToken);

    Task ClosePullRequestAsync(RepoName repo, int number, CancellationToken cancellationToken);

    /// <summary>Everything people said on a pull request: conversation comments, inline comments, submitted reviews. Ours are included.</summary>
    Task<IReadOnlyList<Remark>> RemarksAsync(RepoName repo, int number, CancellationToken cancellationToken);

    /// <summary>Conversation comments of an issue (or pull request).</summary>
    Task<IReadOnlyList<Remark>> CommentsAsync(RepoName repo, int number, CancellationToken cancellationToken);

    /// <summary>Comments on an issue or pull request. Returns the id of the comment.</summary>
    Task<string> CommentAsync(RepoName repo, int number, string body, EffectKey key, CancellationToken cancellationToken);

    /// <summary>Our comment that carries the key, or null.</summary>
    Task<Remark?> FindCommentAsync(RepoName repo, int number, EffectKey key, CancellationToken cancellationToken);

    Task EditCommentAsync(RepoName repo, string commentId, string body, EffectKey key, CancellationToken cancellationToken);

    /// <summary>Answers in an inline thread, looking for the key first. Returns the id of the answer.</summary>
    Task<string> ReplyAsync(RepoName repo, int number, string threadId, string body, EffectKey key, CancellationToken cancellationToken);

    /// <summary>Resolves an inline thread; success when it is resolved already.</summary>
    Task ResolveThreadAsync(RepoName repo, int number, string threadId, CancellationToken cancellationToken);

    Task SubmitReviewAsync(RepoName repo, int number, NewReview review, EffectKey key, CancellationToken cancellationToken);

    Task<IReadOnlyList<Issue>> OpenIssuesAsync(RepoName repo, CancellationToken cancellationToken);

    Task<Issue> IssueAsync(RepoName repo, int number, CancellationToken cancellationToken);

    Task CloseIssueAsync(RepoName repo, int number, bool completed, CancellationToken cancellationToken);

    /// <summary>Adds a reaction, once.</summary>
    Task ReactAsync(RepoName repo, ReactionTarget target, Reaction reaction, CancellationToken cancellationToken);

    /// <summary>State of all checks and statuses on a commit.</summary>
    Task<IReadOnlyList<CheckState>> ChecksAsync(RepoName repo, string commit, CancellationToken cancellationToken);

    /// <summary>Publishes a status on a commit under a context name; the last one counts.</summary>
    Task SetStatusAsync(RepoName repo, string commit, StatusReport status, CancellationToken cancellationToken);

    /// <summary>Makes sure that the forge calls <paramref name="url"/> on changes, signed with <paramref name="secret"/>.</summary>
    Task EnsureWebhookAsync(RepoName repo, string url, string secret, CancellationToken cancellationToken);
}
