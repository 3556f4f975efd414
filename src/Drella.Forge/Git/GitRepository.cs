using System.Globalization;
using System.Text;

namespace Drella.Forge.Git;

/// <summary>One bare repository, read by plumbing commands. Names given here were checked by <see cref="GitNames"/>.</summary>
internal sealed partial class GitRepository(string path, GitRunner git)
{
    public string Path => path;

    /// <summary>The commit behind a full or short object id, a branch, a tag, or a ref with its prefix; null when there is none.</summary>
    public async Task<string?> CommitAsync(string revision, CancellationToken cancellationToken)
    {
        var candidates = new List<string>();
        if (GitNames.IsObjectIdPrefix(revision))
        {
            candidates.Add(revision);
        }

        if (GitNames.IsRefPart(revision))
        {
            candidates.AddRange(revision.StartsWith("refs/", StringComparison.Ordinal)
                ? [revision]
                : ["refs/heads/" + revision, "refs/tags/" + revision, "refs/" + revision]);
        }

        foreach (var candidate in candidates)
        {
            var result = await TryAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", candidate + "^{commit}"], cancellationToken);
            if (result.ExitCode == 0)
            {
                return result.Line;
            }
        }

        return null;
    }

    /// <summary>Ref name → object id, for every ref under the prefix.</summary>
    public async Task<IReadOnlyDictionary<string, string>> RefsAsync(string prefix, CancellationToken cancellationToken)
    {
        var result = await RunAsync(["for-each-ref", "--format=%(objectname) %(refname)", prefix], cancellationToken);
        return result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(' ', 2)).ToDictionary(p => p[1], p => p[0], StringComparer.Ordinal);
    }

    public async Task<string?> RefAsync(string name, CancellationToken cancellationToken)
    {
        var result = await TryAsync(["rev-parse", "--verify", "--quiet", "--end-of-options", name], cancellationToken);
        return result.ExitCode == 0 ? result.Line : null;
    }

    /// <summary>
    /// Moves a ref if it still is at <paramref name="expected"/> (the zero id means "absent"); null as target deletes it. False when it was not.
    /// </summary>
    public async Task<bool> MoveRefAsync(string name, string? target, string expected, CancellationToken cancellationToken)
    {
        string[] arguments = target is null ? ["update-ref", "-d", name, expected] : ["update-ref", name, target, expected];
        return (await TryAsync(arguments, cancellationToken)).ExitCode == 0;
    }

    public async Task<string?> MergeBaseAsync(string one, string other, CancellationToken cancellationToken)
    {
        var result = await TryAsync(["merge-base", one, other], cancellationToken);
        return result.ExitCode == 0 ? result.Line.Split('\n')[0] : null;
    }

    public async Task<bool> IsAncestorAsync(string ancestor, string descendant, CancellationToken cancellationToken) =>
        (await TryAsync(["merge-base", "--is-ancestor", ancestor, descendant], cancellationToken)).ExitCode == 0;

    public async Task<int> CountAsync(IReadOnlyList<string> range, CancellationToken cancellationToken) =>
        int.Parse((await RunAsync(["rev-list", "--count", .. range], cancellationToken)).Line, CultureInfo.InvariantCulture);

    public async Task<IReadOnlyList<GitCommit>> LogAsync(LogQuery query, CancellationToken cancellationToken)
    {
        var arguments = new List<string>
        {
            "log", "-z", "--no-show-signature", "--no-color", "--no-mailmap", "--format=%H%n%T%n%P%n%an%n%ae%n%aI%n%cn%n%ce%n%cI%n%B",
            "--skip=" + query.Skip.ToString(CultureInfo.InvariantCulture), "--max-count=" + query.Limit.ToString(CultureInfo.InvariantCulture),
        };
        AddFilter(arguments, "--since-as-filter=", query.Since);
        AddFilter(arguments, "--until=", query.Until);
        if (query.Author is not null)
        {
            arguments.Add("--fixed-strings");
            arguments.Add("--author=" + query.Author);
        }

        if (query.OldestFirst)
        {
            arguments.Add("--reverse");
            arguments.Add("--topo-order");
        }

        arguments.AddRange(query.Range);
        arguments.Add("--");
        if (query.Path is not null)
        {
            arguments.Add(":(literal)" + query.Path);
        }

        var result = await RunAsync(arguments, cancellationToken);
        return [.. result.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(ParseCommit)];
    }

    public async Task<GitCommit> ReadCommitAsync(string sha, CancellationToken cancellationToken) =>
        (await LogAsync(new LogQuery { Range = [sha], Limit = 1 }, cancellationToken))[0];

    /// <summary>Type and size of an object; null when absent.</summary>
    public async Task<(string Type, long Size)?> InspectAsync(string sha, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(path, ["cat-file", "--batch-check"], Encoding.ASCII.GetBytes(sha + "\n"), null, cancellationToken);
        var parts = result.Line.Split(' ');
        return parts.Length == 3 && long.TryParse(parts[2], out var size) ? (parts[1], size) : null;
    }

    public async Task<byte[]> ReadBlobAsync(string sha, CancellationToken cancellationToken) =>
        (await RunAsync(["cat-file", "blob", sha], cancellationToken)).Output;

    /// <summary>The entries of a tree; with a path, that entry alone, or with a trailing slash its children.</summary>
    public async Task<IReadOnlyList<TreeEntry>> TreeAsync(string treeish, bool recursive, string? inside, CancellationToken cancellationToken)
    {
        var arguments = new List<string> { "ls-tree", "-z", "-l", "--full-tree" };
        if (recursive)
        {
            arguments.AddRange(["-r", "-t"]);
        }

        arguments.Add(treeish);
        if (inside is not null)
        {
            arguments.AddRange(["--", inside]);
        }

        var result = await git.RunAsync(path, arguments, default, Literal, cancellationToken);
        if (result.ExitCode != 0)
        {
            throw new GitFailure($"git ls-tree failed: {result.Error.Trim()}");
        }

        return [.. result.Text.Split('\0', StringSplitOptions.RemoveEmptyEntries).Select(ParseEntry)];
    }

    private static readonly Dictionary<string, string> Literal = new(StringComparer.Ordinal) { ["GIT_LITERAL_PATHSPECS"] = "1" };

    private static TreeEntry ParseEntry(string line)
    {
        // 100644 blob 257cc5642cb1a054f08cc83f2d943e56fd3ebe99       4<tab>name
        var tab = line.IndexOf('\t', StringComparison.Ordinal);
        var parts = line[..tab].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        return new TreeEntry(parts[0], parts[1], parts[2], long.TryParse(parts[3], out var size) ? size : null, line[(tab + 1)..]);
    }

    private static GitCommit ParseCommit(string record)
    {
        var lines = record.Split('\n', 10);
        return new GitCommit
        {
            Sha = lines[0],
            Tree = lines[1],
            Parents = lines[2].Split(' ', StringSplitOptions.RemoveEmptyEntries),
            Author = new GitSignature(lines[3], lines[4], Utc(lines[5])),
            Committer = new GitSignature(lines[6], lines[7], Utc(lines[8])),
            Message = lines[9].TrimEnd('\n'),
        };
    }

    // A hand-made commit may carry a date no clock has; it becomes the epoch rather than an error.
    private static string Utc(string date) =>
        (DateTimeOffset.TryParse(date, CultureInfo.InvariantCulture, out var when) ? when : DateTimeOffset.UnixEpoch)
        .UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);

    private static void AddFilter(List<string> arguments, string option, string? value)
    {
        if (value is not null)
        {
            arguments.Add(option + value);
        }
    }

    private Task<GitResult> TryAsync(IEnumerable<string> arguments, CancellationToken cancellationToken) =>
        git.RunAsync(path, arguments, default, null, cancellationToken);

    private async Task<GitResult> RunAsync(IEnumerable<string> arguments, CancellationToken cancellationToken)
    {
        var list = arguments.ToList();
        var result = await TryAsync(list, cancellationToken);
        return result.ExitCode == 0 ? result : throw new GitFailure($"git {list[0]} failed with {result.ExitCode}: {result.Error.Trim()}");
    }
}
