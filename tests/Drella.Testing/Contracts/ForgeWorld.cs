using Drella.Core.Forges;

namespace Drella.Testing.Contracts;

/// <summary>
/// A forge with people in it, for <see cref="ForgeContract"/>. The repository starts with a branch <c>main</c> that holds <c>README.md</c> of
/// the lines one, two and three, and <c>in-progress/spec.md</c>.
/// </summary>
public abstract class ForgeWorld : IAsyncDisposable
{
    /// <summary>The factory's own account, with the right to write.</summary>
    public abstract IForge Bot { get; }

    /// <summary>A maintainer's account.</summary>
    public abstract IForge Person { get; }

    /// <summary>An account that may read only.</summary>
    public abstract IForge Reader { get; }

    public abstract RepoName Repo { get; }

    /// <summary>A repository that exists and that the factory cannot see.</summary>
    public abstract RepoName Hidden { get; }

    /// <summary>An account that exists and has no right in the repository, which is private.</summary>
    public abstract string OutsiderLogin { get; }

    /// <summary>Puts a file on a branch as the person, making the branch from <c>main</c> when absent. Returns the new head.</summary>
    public abstract Task<string> CommitAsync(string branch, string path, string content, CancellationToken cancellationToken);

    /// <summary>Opens an issue as the person.</summary>
    public abstract Task<int> OpenIssueAsync(string title, string body, IReadOnlyList<string> labels, CancellationToken cancellationToken);

    /// <summary>Merges as the person.</summary>
    public abstract Task MergeAsync(int number, CancellationToken cancellationToken);

    /// <summary>Names of the reactions on an issue or pull request, as the forge names them.</summary>
    public abstract Task<IReadOnlyList<string>> ReactionsAsync(int number, CancellationToken cancellationToken);

    /// <summary>Addresses of the webhooks.</summary>
    public abstract Task<IReadOnlyList<string>> WebhooksAsync(CancellationToken cancellationToken);

    public abstract ValueTask DisposeAsync();
}
