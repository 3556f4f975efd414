using Drella.Core.Forges;
using Drella.Core.Jobs;

namespace Drella.Core.PullRequests;

/// <summary>
/// The host's own Git stores. Commits come out of a sandbox only as a bundle file, into a bare repository that no guest can write,
/// are looked at with plumbing only, and leave by object id. Nothing is ever checked out on the host. Calls for one repository are
/// put in order; errors are <see cref="DriverException"/>.
/// </summary>
public interface IQuarantine
{
    /// <summary>Fetches a branch from the forge into the store. Returns its commit.</summary>
    Task<string> FetchAsync(RepoName repo, GitAccess access, string branch, CancellationToken cancellationToken);

    /// <summary>Writes a bundle with the commit (and the given others) as branches, for a fresh sandbox to clone from.</summary>
    Task WriteSeedAsync(RepoName repo, IReadOnlyList<SeedBranch> branches, Stream destination, CancellationToken cancellationToken);

    /// <summary>
    /// Takes a bundle from a guest into quarantine refs of the job: size-capped, checked by fsck, without network or hooks.
    /// Fails with <see cref="DriverFailure.Invalid"/> and a reason when it is not what it must be.
    /// </summary>
    /// <param name="repo">Store to take it into.</param>
    /// <param name="job">Whose quarantine.</param>
    /// <param name="bundle">Bundle bytes, hostile.</param>
    /// <param name="cancellationToken">Ends the attempt.</param>
    /// <returns>The commit that the bundle's only branch points to.</returns>
    Task<string> IngestAsync(RepoName repo, JobId job, Stream bundle, CancellationToken cancellationToken);

    /// <summary>Looks at what lies between base and head, for the policy to judge.</summary>
    Task<ChangeSet> InspectAsync(RepoName repo, string baseCommit, string head, CancellationToken cancellationToken);

    /// <summary>
    /// Writes the change again as commits whose author, committer and trailers are the host's, on <paramref name="parent"/>, with
    /// dates taken from the originals so that the same input gives the same object ids. Can add or move one file on top.
    /// </summary>
    /// <returns>Object id of the new head; <paramref name="parent"/> itself when there is nothing between.</returns>
    Task<string> RewriteAsync(RepoName repo, RewriteOrder order, CancellationToken cancellationToken);

    /// <summary>
    /// Pushes an object id to a branch. With <paramref name="expectedRemote"/> null the branch must not exist yet (or already point there).
    /// Fails with <see cref="DriverFailure.Conflict"/> when somebody else moved it.
    /// </summary>
    Task PushAsync(RepoName repo, GitAccess access, string commit, string branch, string? expectedRemote, CancellationToken cancellationToken);

    /// <summary>True when <paramref name="ancestor"/> is the commit or lies behind it.</summary>
    Task<bool> IsAncestorAsync(RepoName repo, string ancestor, string commit, CancellationToken cancellationToken);

    /// <summary>Unified diff, without external programs, at most <paramref name="maxBytes"/>; the end says when it was cut.</summary>
    Task<string> DiffAsync(RepoName repo, string baseCommit, string head, int maxBytes, CancellationToken cancellationToken);
}

public sealed record SeedBranch(string Name, string Commit);

/// <param name="Base">Commit the work began on.</param>
/// <param name="Head">Commit the guest delivered.</param>
/// <param name="Parent">Commit to write on: the base, or the head that was published before.</param>
/// <param name="Author">Who the commits are by: the factory's identity.</param>
/// <param name="Trailers">Lines such as <c>Co-authored-by: …</c>, <c>Drella-Job: …</c>; those of the guest are dropped.</param>
/// <param name="Move">A file to move on top, in a commit of its own; null for none.</param>
public sealed record RewriteOrder(string Base, string Head, string Parent, Identity Author, IReadOnlyList<string> Trailers, FileMove? Move);

/// <param name="From">Path to move; when absent and <paramref name="To"/> is present, nothing is done.</param>
public sealed record FileMove(string From, string To, string Message);

/// <summary>Name and address in a commit.</summary>
public sealed record Identity(string Name, string Email);

/// <summary>What a guest delivered, as plumbing shows it.</summary>
/// <param name="Base">The commit compared with.</param>
/// <param name="Head">The commit looked at.</param>
/// <param name="IsDescendant">True when base is an ancestor of head.</param>
/// <param name="Commits">Commits between, oldest first, at most a few thousand.</param>
/// <param name="Files">Files that differ between base and head.</param>
/// <param name="Truncated">True when a cap was hit: then the change is too large.</param>
public sealed record ChangeSet(
    string Base, string Head, bool IsDescendant, IReadOnlyList<ChangedCommit> Commits, IReadOnlyList<ChangedFile> Files, bool Truncated);

/// <param name="Message">Raw message, hostile.</param>
public sealed record ChangedCommit(string ObjectId, int Parents, string AuthorName, string AuthorEmail, string Message);

/// <param name="Path">Path in the repository as UTF-8; invalid bytes replaced and <paramref name="PathIsValid"/> false.</param>
/// <param name="Status">A, M, D, T as in raw diffs.</param>
/// <param name="OldMode">Git mode before, <c>000000</c> for none.</param>
/// <param name="NewMode">Git mode after.</param>
/// <param name="Size">Bytes of the new blob; 0 when deleted.</param>
/// <param name="AddedText">Added text (for the secret scan), at most 1 MiB; null for binary.</param>
public sealed record ChangedFile(string Path, bool PathIsValid, char Status, string OldMode, string NewMode, long Size, string? AddedText);
