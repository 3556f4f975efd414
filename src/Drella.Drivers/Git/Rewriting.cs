using System.Globalization;
using System.Text;
using Drella.Core;
using Drella.Core.PullRequests;

namespace Drella.Drivers.Git;

/// <summary>
/// Writes a guest's commits again under the host's name. What is written holds only what the policy saw: as soon as a commit on the way
/// has content that the final diff does not show, or the history is not a short straight line, one commit with the final tree is written.
/// </summary>
internal sealed class Rewriting(Plumbing plumbing, QuarantineOptions options, string scratch)
{
    private const string EmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    private const string NoMode = "000000";

    public async Task<string> WriteAsync(RewriteOrder order, CancellationToken cancellationToken)
    {
        var head = Plumbing.Id(order.Parent);
        var tree = await plumbing.TreeOfAsync(head, cancellationToken);
        long at = 0;
        if (order.Base != order.Head)
        {
            foreach (var (commit, message) in await PlanAsync(order, cancellationToken))
            {
                var next = await PlaceAsync(order, commit, cancellationToken);
                if (next != tree)
                {
                    at = Math.Max(at, commit.CommittedAt);
                    tree = next;
                    head = await CommitAsync(order, tree, head, commit.AuthoredAt, at, message, cancellationToken);
                }
            }
        }

        return order.Move is { } move ? await MoveAsync(order, move, tree, head, at, cancellationToken) : head;
    }

    private async Task<IReadOnlyList<(RawCommit Commit, string Message)>> PlanAsync(RewriteOrder order, CancellationToken cancellationToken)
    {
        var (commits, wasCut) = await RawCommit.BetweenAsync(plumbing, order.Base, order.Head, options.MaxInspectedCommits, cancellationToken);
        if (wasCut)
        {
            throw new DriverException(false, "too many commits to write again") { Failure = DriverFailure.Invalid };
        }

        if (commits.Count == 0)
        {
            return [];
        }

        var isLine = commits.Count <= options.MaxRewrittenCommits
            && commits.Select((c, i) => c.Parents.Count == 1 && c.Parents[0] == (i == 0 ? order.Base : commits[i - 1].ObjectId)).All(ok => ok)
            && await ShowsNothingElseAsync(order, commits, cancellationToken);
        return isLine
            ? [.. commits.Select(c => (c, c.Message))]
            : [(commits.Single(c => c.ObjectId == order.Head), SquashedMessage(commits))];
    }

    private async Task<bool> ShowsNothingElseAsync(RewriteOrder order, IReadOnlyList<RawCommit> commits, CancellationToken cancellationToken)
    {
        var (final, finalCut) = await plumbing.DiffAsync(order.Base, order.Head, options.MaxInspectedFiles, cancellationToken);
        var seen = final
            .SelectMany(c => new[] { (Key(c.Path), c.NewMode, c.NewId), (Key(c.Path), c.OldMode, c.OldId) })
            .ToHashSet();
        if (finalCut)
        {
            return false;
        }

        var previous = order.Base;
        foreach (var commit in commits)
        {
            var (step, stepCut) = await plumbing.DiffAsync(previous, commit.ObjectId, options.MaxInspectedFiles, cancellationToken);
            if (stepCut || step.Any(c => c.NewMode != NoMode && !seen.Contains((Key(c.Path), c.NewMode, c.NewId))))
            {
                return false;
            }

            previous = commit.ObjectId;
        }

        return true;
    }

    private static string SquashedMessage(IReadOnlyList<RawCommit> commits)
    {
        const int Most = 30;
        if (commits.Count == 1)
        {
            return commits[0].Message;
        }

        var subjects = commits.Where(c => c.Parents.Count < 2).Select(c => CommitMessage.Clean(c.Message, []).Split('\n')[0]).ToArray();
        var list = subjects.Take(Most).Select(s => "- " + s);
        return $"{subjects.LastOrDefault() ?? "Change"}\n\n{string.Join('\n', list)}{(subjects.Length > Most ? $"\n- and {subjects.Length - Most} more" : "")}";
    }

    /// <summary>
    /// The commit's tree, when it is written on the base itself; else its difference to the base laid over the parent's tree, file by file.
    /// A file that both changed differently is a conflict: nobody's work is overwritten.
    /// </summary>
    private async Task<string> PlaceAsync(RewriteOrder order, RawCommit commit, CancellationToken cancellationToken)
    {
        var parentTree = await plumbing.TreeOfAsync(order.Parent, cancellationToken);
        if (parentTree == await plumbing.TreeOfAsync(order.Base, cancellationToken))
        {
            return Plumbing.Id(commit.Tree);
        }

        var (theirs, theirsCut) = await plumbing.DiffAsync(order.Base, commit.ObjectId, options.MaxInspectedFiles, cancellationToken);
        var (ours, oursCut) = await plumbing.DiffAsync(order.Base, order.Parent, options.MaxInspectedFiles, cancellationToken);
        if (theirsCut || oursCut)
        {
            throw new DriverException(false, "too many files to write again") { Failure = DriverFailure.Invalid };
        }

        var changedHere = ours.ToDictionary(c => Key(c.Path));
        foreach (var change in theirs)
        {
            if (changedHere.TryGetValue(Key(change.Path), out var other) && (other.NewId, other.NewMode) != (change.NewId, change.NewMode))
            {
                throw new DriverException(false, $"the branch and the delivered commit both changed '{CommitMessage.Visible(Encoding.UTF8.GetString(change.Path))}'")
                {
                    Failure = DriverFailure.Conflict,
                };
            }
        }

        return await EditAsync(parentTree, theirs.Select(c => (c.NewMode, c.NewId, c.Path)), cancellationToken);
    }

    private async Task<string> MoveAsync(RewriteOrder order, FileMove move, string tree, string head, long at, CancellationToken cancellationToken)
    {
        var from = await EntryAsync(tree, move.From, cancellationToken);
        if (from is not { } entry)
        {
            return await EntryAsync(tree, move.To, cancellationToken) is not null || order.Base == order.Head
                ? head
                : throw new DriverException(false, $"'{move.From}' is not there to be moved") { Failure = DriverFailure.Invalid };
        }

        var moved = await EditAsync(
            tree, [(NoMode, new string('0', 40), Encoding.UTF8.GetBytes(move.From)), (entry.Mode, entry.Id, Encoding.UTF8.GetBytes(move.To))], cancellationToken);
        at = at > 0 ? at : RawCommit.Parse(head, (await plumbing.RunAsync(plumbing.Call("cat-file", "commit", head), cancellationToken)).Output).CommittedAt;
        return await CommitAsync(order, moved, head, at, at, move.Message, cancellationToken);
    }

    private async Task<(string Mode, string Id)?> EntryAsync(string tree, string path, CancellationToken cancellationToken)
    {
        // 100644 blob <id> TAB path NUL
        var text = await plumbing.TextAsync(cancellationToken, "--literal-pathspecs", "ls-tree", "-z", "--full-tree", Plumbing.Id(tree), "--", path);
        var fields = text.Split('\t')[0].Split(' ');
        return fields.Length == 3 && fields[1] == "blob" ? (fields[0], fields[2]) : null;
    }

    /// <summary>A tree with some entries set or (mode 000000) removed, through an index of its own and without a work tree.</summary>
    private async Task<string> EditAsync(string tree, IEnumerable<(string Mode, string Id, byte[] Path)> entries, CancellationToken cancellationToken)
    {
        var index = Path.Combine(scratch, "index");
        File.Delete(index);
        var environment = new Dictionary<string, string> { ["GIT_INDEX_FILE"] = index };
        await plumbing.RunAsync(plumbing.Call("read-tree", Plumbing.Id(tree)) with { Environment = environment }, cancellationToken);
        await plumbing.RunAsync(
            plumbing.Call("update-index", "-z", "--index-info") with
            {
                Environment = environment,
                Input = async (stdin, token) =>
                {
                    // Removals first: a file may stand where a folder was, or the other way round.
                    foreach (var (mode, id, path) in entries.OrderBy(e => e.Mode != NoMode))
                    {
                        await stdin.WriteAsync(Encoding.ASCII.GetBytes($"{mode} {id}\t"), token);
                        await stdin.WriteAsync(path, token);
                        await stdin.WriteAsync(new byte[1], token);
                    }
                },
            },
            cancellationToken);
        var written = await plumbing.RunAsync(plumbing.Call("write-tree") with { Environment = environment }, cancellationToken);
        return written.Text.Length == 0 ? EmptyTree : written.Text;
    }

    private async Task<string> CommitAsync(
        RewriteOrder order, string tree, string parent, long authoredAt, long committedAt, string message, CancellationToken cancellationToken)
    {
        var who = $"{Plain(order.Author.Name)} <{Plain(order.Author.Email)}>";
        var text = $"tree {tree}\nparent {parent}\nauthor {who} {Date(authoredAt)}\ncommitter {who} {Date(committedAt)}\n\n{CommitMessage.Clean(message, order.Trailers)}";
        var written = await plumbing.RunAsync(
            plumbing.Call("hash-object", "-t", "commit", "-w", "--stdin") with
            {
                Input = (stdin, token) => stdin.WriteAsync(Encoding.UTF8.GetBytes(text), token).AsTask(),
            },
            cancellationToken);
        return Plumbing.Id(written.Text);
    }

    private static string Plain(string text) =>
        string.Concat(CommitMessage.Visible(text).Where(c => c is not ('<' or '>' or '\n' or '\t'))).Trim();

    private static string Date(long seconds) => $"{seconds.ToString(CultureInfo.InvariantCulture)} +0000";

    private static string Key(byte[] path) => Encoding.Latin1.GetString(path);
}
