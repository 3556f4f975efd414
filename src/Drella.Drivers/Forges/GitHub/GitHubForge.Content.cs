using Drella.Core;
using Drella.Core.Forges;
using Drella.Drivers.Forges.GitHub.Wire;
using static Drella.Drivers.Forges.GitHub.UrlFormat;

namespace Drella.Drivers.Forges.GitHub;

public sealed partial class GitHubForge
{
    private const string FolderMode = "040000";
    private const int MoveTries = 5;

    public async Task<string?> BranchHeadAsync(RepoName repo, string branch, CancellationToken cancellationToken)
    {
        WireRef? wire;
        try
        {
            wire = await _api.TryGetAsync<WireRef>(repo, Url($"/repos/{repo}/git/ref/heads/{branch:path}"), cancellationToken);
        }
        catch (DriverException e) when (e.Failure == DriverFailure.Conflict)
        {
            // 409 "Git Repository is empty."
            return null;
        }

        if (wire is null)
        {
            // Absent, or a repository that is hidden from us: the repository tells the two apart.
            await RepoAsync(repo, cancellationToken);
            return null;
        }

        return wire.Ref == $"refs/heads/{branch}" ? Convert.Required(wire.Object?.Sha, "object.sha") : null;
    }

    public async Task<IReadOnlyList<TreeItem>> FolderAsync(RepoName repo, string commit, string path, CancellationToken cancellationToken)
    {
        var items = await TreeAsync(repo, commit, cancellationToken);
        foreach (var name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            if (items.FirstOrDefault(i => i.Name == name) is not { Mode: FolderMode } folder)
            {
                return [];
            }

            items = await TreeAsync(repo, folder.ObjectId, cancellationToken);
        }

        return items;
    }

    public async Task<ReadOnlyMemory<byte>> BlobAsync(RepoName repo, string blobId, int maxBytes, CancellationToken cancellationToken)
    {
        // Base64 in lines of 60 characters, each line end escaped in JSON.
        var room = (int)Math.Min(int.MaxValue, (maxBytes * 3L / 2) + (16 << 10));
        var wire = await _api.GetAsync<WireBlob>(repo, Url($"/repos/{repo}/git/blobs/{blobId}"), room, cancellationToken);
        if (wire.Encoding != "base64")
        {
            throw new DriverException(isTransient: false, $"blob {Plain.Line(blobId, 64)}: encoding {Plain.Line(wire.Encoding, 20)} is not known");
        }

        byte[] bytes;
        try
        {
            bytes = System.Convert.FromBase64String(Convert.Required(wire.Content, "content"));
        }
        catch (FormatException e)
        {
            throw new DriverException(isTransient: true, $"blob {Plain.Line(blobId, 64)}: the content is no base64", e);
        }

        return bytes.Length <= maxBytes
            ? bytes
            : throw new DriverException(isTransient: false, $"blob {Plain.Line(blobId, 64)} has {bytes.Length} bytes, allowed are {maxBytes}")
            {
                Failure = DriverFailure.Exhausted,
            };
    }

    public async Task<CommitInfo?> LastCommitAsync(RepoName repo, string branch, string path, CancellationToken cancellationToken)
    {
        try
        {
            var commits = await _api.GetAsync<WireCommit[]>(repo, Url($"/repos/{repo}/commits?sha={branch:q}&path={path:q}&per_page=1"), cancellationToken);
            return commits is [{ } last, ..] ? Convert.Commit(last) : null;
        }
        catch (DriverException e) when (e.Failure == DriverFailure.Conflict)
        {
            return null;
        }
    }

    public async Task MoveFileAsync(RepoName repo, string branch, string from, string to, string message, CancellationToken cancellationToken)
    {
        CheckFilePath(from);
        CheckFilePath(to);
        for (var attempt = 1; ; attempt++)
        {
            var head = await BranchHeadAsync(repo, branch, cancellationToken)
                ?? throw Failed(DriverFailure.NotFoundOrNoAccess, $"{repo} has no branch {branch}");
            if (await MovedTreeAsync(repo, head, from, to, cancellationToken) is not { } changes)
            {
                return;
            }

            var root = await _api.GetAsync<WireGitCommit>(repo, Url($"/repos/{repo}/git/commits/{head}"), cancellationToken);
            var tree = await _api.WriteAsync<WireNewTree, WireObject>(
                HttpMethod.Post, repo, Url($"/repos/{repo}/git/trees"), new WireNewTree(Convert.Required(root.Tree?.Sha, "tree.sha"), changes), cancellationToken);
            var commit = await _api.WriteAsync<WireNewCommit, WireObject>(
                HttpMethod.Post, repo, Url($"/repos/{repo}/git/commits"), new WireNewCommit(message, Convert.Required(tree.Sha, "sha"), [head]), cancellationToken);
            try
            {
                await _api.WriteAsync(
                    HttpMethod.Patch, repo, Url($"/repos/{repo}/git/refs/heads/{branch:path}"), new WireMoveRef(Convert.Required(commit.Sha, "sha"), false),
                    cancellationToken);
                return;
            }
            catch (DriverException e) when (attempt < MoveTries && e.Failure is DriverFailure.Conflict or DriverFailure.Invalid)
            {
                // 422 "Update is not a fast forward": somebody was faster. Any other reason stays, and shows by an unmoved head.
                if (await BranchHeadAsync(repo, branch, cancellationToken) == head)
                {
                    throw;
                }
            }
        }
    }

    public async Task DeleteBranchAsync(RepoName repo, string branch, string expectedHead, CancellationToken cancellationToken)
    {
        var head = await BranchHeadAsync(repo, branch, cancellationToken);
        if (head is null)
        {
            return;
        }

        if (head != expectedHead)
        {
            throw Failed(DriverFailure.Conflict, $"{repo} {branch} is at {head}, not at {expectedHead}");
        }

        try
        {
            await _api.DeleteAsync(repo, Url($"/repos/{repo}/git/refs/heads/{branch:path}"), cancellationToken);
        }
        catch (DriverException e) when (e.Failure is DriverFailure.Invalid or DriverFailure.NotFoundOrNoAccess or DriverFailure.Conflict)
        {
            // 422 "Reference does not exist" after a race is what was wanted.
            if (await BranchHeadAsync(repo, branch, cancellationToken) is not null)
            {
                throw;
            }
        }
    }

    /// <summary>The changes that move the file, or null when it has been moved already.</summary>
    private async Task<WireNewTreeItem[]?> MovedTreeAsync(RepoName repo, string head, string from, string to, CancellationToken cancellationToken)
    {
        var source = await FileAsync(repo, head, from, cancellationToken);
        var target = await FileAsync(repo, head, to, cancellationToken);
        if (source is null)
        {
            return target is not null ? null : throw Failed(DriverFailure.NotFoundOrNoAccess, $"{repo} has neither {from} nor {to}");
        }

        if (source.Mode is FolderMode or "160000")
        {
            throw Failed(DriverFailure.Invalid, $"{repo} {from} is not a file");
        }

        var removal = new WireNewTreeItem(from, source.Mode, "blob", null);
        if (target is null)
        {
            return [new WireNewTreeItem(to, source.Mode, "blob", source.ObjectId), removal];
        }

        return target.ObjectId == source.ObjectId
            ? [removal]
            : throw Failed(DriverFailure.Conflict, $"{repo} has both {from} and another {to}");
    }

    private async Task<TreeItem?> FileAsync(RepoName repo, string commit, string path, CancellationToken cancellationToken)
    {
        var slash = path.LastIndexOf('/');
        var folder = await FolderAsync(repo, commit, slash < 0 ? "" : path[..slash], cancellationToken);
        return folder.FirstOrDefault(i => i.Name == path[(slash + 1)..]);
    }

    private async Task<IReadOnlyList<TreeItem>> TreeAsync(RepoName repo, string treeOrCommit, CancellationToken cancellationToken)
    {
        var wire = await _api.GetAsync<WireTree>(repo, Url($"/repos/{repo}/git/trees/{treeOrCommit}"), cancellationToken);
        return wire.Truncated == true
            ? throw Failed(DriverFailure.Exhausted, $"{repo} has a folder with more entries than the forge lists")
            : [.. (wire.Tree ?? []).OfType<WireTreeItem>().Select(i => new TreeItem(
                Convert.Required(i.Path, "path"), Convert.Required(i.Mode, "mode"), Convert.Required(i.Sha, "sha"), i.Size))];
    }

    private static void CheckFilePath(string path)
    {
        if (path.Split('/').Any(s => s is "" or "." or ".." || s.Equals(".git", StringComparison.OrdinalIgnoreCase)) || path.Any(char.IsControl))
        {
            throw Failed(DriverFailure.Invalid, $"'{path}' is not a path in a repository");
        }
    }

    private static DriverException Failed(DriverFailure failure, string message) => new(isTransient: false, Plain.Line(message, 500)) { Failure = failure };
}
