using System.Text;

namespace Drella.Forge.Git;

internal sealed partial class GitRepository
{
    public async Task InitialiseAsync(string defaultBranch, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(path);
        var result = await git.RunAsync(
            null, ["init", "--quiet", "--bare", "--template=", "--initial-branch=" + defaultBranch, path], default, null, cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new GitFailure($"git init failed: {result.Error.Trim()}");
        }
    }

    public async Task SetDefaultBranchAsync(string branch, CancellationToken cancellationToken) =>
        await RunAsync(["symbolic-ref", "HEAD", "refs/heads/" + branch], cancellationToken);

    public async Task<string> WriteBlobAsync(ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(path, ["hash-object", "-w", "--stdin"], content, null, cancellationToken);
        return result.ExitCode == 0 ? result.Line : throw new GitFailure($"git hash-object failed: {result.Error.Trim()}");
    }

    /// <summary>A new tree: the base (null for empty) with entries set, or removed where the object id is null.</summary>
    public async Task<string> WriteTreeAsync(
        string? baseTree, IReadOnlyList<(string Path, string Mode, string? Sha)> changes, CancellationToken cancellationToken)
    {
        // A private index file, so that concurrent writers do not meet; Git itself builds the nested trees.
        var index = System.IO.Path.Combine(path, "index-" + Convert.ToHexString(System.Security.Cryptography.RandomNumberGenerator.GetBytes(8)));
        var environment = new Dictionary<string, string>(StringComparer.Ordinal) { ["GIT_INDEX_FILE"] = index };
        try
        {
            await IndexAsync(baseTree is null ? ["read-tree", "--empty"] : ["read-tree", baseTree], default, environment, cancellationToken);
            var input = new StringBuilder();
            foreach (var (file, mode, sha) in changes)
            {
                input.Append(sha is null ? "0 " + GitNames.ZeroId : mode + " " + sha).Append('\t').Append(file).Append('\0');
            }

            await IndexAsync(["update-index", "-z", "--index-info"], Encoding.UTF8.GetBytes(input.ToString()), environment, cancellationToken);
            return (await IndexAsync(["write-tree"], default, environment, cancellationToken)).Line;
        }
        finally
        {
            File.Delete(index);
        }
    }

    public async Task<string> WriteCommitAsync(
        string tree, IReadOnlyList<string> parents, string message, GitSignature author, GitSignature committer, CancellationToken cancellationToken)
    {
        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["GIT_AUTHOR_NAME"] = author.Name,
            ["GIT_AUTHOR_EMAIL"] = author.Email,
            ["GIT_AUTHOR_DATE"] = author.When,
            ["GIT_COMMITTER_NAME"] = committer.Name,
            ["GIT_COMMITTER_EMAIL"] = committer.Email,
            ["GIT_COMMITTER_DATE"] = committer.When,
        };
        var result = await git.RunAsync(
            path,
            ["commit-tree", tree, .. parents.SelectMany(p => (string[])["-p", p])],
            Encoding.UTF8.GetBytes(message),
            environment,
            cancellationToken);
        return result.ExitCode == 0 ? result.Line : throw new GitFailure($"git commit-tree failed: {result.Error.Trim()}");
    }

    /// <summary>Merges in memory, without a work tree.</summary>
    public async Task<MergeTree> MergeTreeAsync(string ours, string theirs, CancellationToken cancellationToken)
    {
        var result = await TryAsync(["merge-tree", "--write-tree", "-z", "--name-only", "--no-messages", ours, theirs], cancellationToken);
        if (result.ExitCode is not (0 or 1))
        {
            // Unrelated histories and the like: no merge is possible.
            return new MergeTree("", [result.Error.Trim()]);
        }

        var parts = result.Text.TrimEnd('\n').Split('\0', StringSplitOptions.RemoveEmptyEntries);
        return new MergeTree(parts[0].Trim(), result.ExitCode == 0 ? [] : [.. parts.Skip(1).Distinct()]);
    }

    private async Task<GitResult> IndexAsync(
        string[] arguments, ReadOnlyMemory<byte> input, Dictionary<string, string> environment, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(path, arguments, input, environment, cancellationToken);
        return result.ExitCode == 0 ? result : throw new GitFailure($"git {arguments[0]} failed: {result.Error.Trim()}");
    }
}
