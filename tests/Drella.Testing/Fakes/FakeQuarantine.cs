using System.Collections.Immutable;
using System.Text;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Testing.Fakes;

/// <summary>
/// The host's Git stores over <see cref="FakeGit"/>. A bundle is one line of text. A commit that was not brought in first is not known, as in a
/// real store; the stores outlive the daemon.
/// </summary>
public sealed class FakeQuarantine(FakeForgeState forge, Dictionary<RepoName, HashSet<string>> stores, PortGate gate) : IQuarantine
{
    private readonly FakeGit git = forge.Git;

    public Task<string> FetchAsync(RepoName repo, GitAccess access, string branch, CancellationToken cancellationToken) => gate.RunAsync(
        Call("fetch", isWrite: true),
        () =>
        {
            if (forge.Find(repo)?.Branches.GetValueOrDefault(branch) is not { } head)
            {
                throw new DriverException(false, $"{repo} has no branch {branch}") { Failure = DriverFailure.NotFoundOrNoAccess };
            }

            Store(repo).UnionWith(git.History(head).Select(commit => commit.Id));
            return head;
        },
        cancellationToken);

    public async Task WriteSeedAsync(RepoName repo, IReadOnlyList<SeedBranch> branches, Stream destination, CancellationToken cancellationToken)
    {
        await gate.RunAsync(Call("seed", isWrite: false), () => Require(repo, [.. branches.Select(branch => branch.Commit)]), cancellationToken);
        await destination.WriteAsync(Encoding.UTF8.GetBytes(branches[0].Commit), cancellationToken);
    }

    public async Task<string> IngestAsync(RepoName repo, JobId job, Stream bundle, CancellationToken cancellationToken)
    {
        using var copy = new MemoryStream();
        await bundle.CopyToAsync(copy, cancellationToken);
        return await gate.RunAsync(
            Call("ingest", isWrite: true),
            () =>
            {
                var parts = Encoding.UTF8.GetString(copy.ToArray()).TrimEnd().Split(' ');
                if (parts is not [var head, var from] || !Store(repo).Contains(from) || !git.IsAncestor(from, head))
                {
                    throw new DriverException(false, "the bundle is not what it must be") { Failure = DriverFailure.Invalid };
                }

                Store(repo).UnionWith(git.Between(from, head).Select(commit => commit.Id));
                return head;
            },
            cancellationToken);
    }

    public Task<ChangeSet> InspectAsync(RepoName repo, string baseCommit, string head, CancellationToken cancellationToken) => gate.RunAsync(
        Call("inspect", isWrite: false),
        () =>
        {
            Require(repo, baseCommit, head);
            var old = git[baseCommit].Tree;
            return new ChangeSet(
                baseCommit,
                head,
                git.IsAncestor(baseCommit, head),
                [.. git.Between(baseCommit, head).Select(commit => new ChangedCommit(commit.Id, 1, commit.Author, "agent@sandbox", commit.Message))],
                [
                    .. git.Differences(baseCommit, head).Select(change => new ChangedFile(
                        change.Key, true, change.Value is null ? 'D' : old.ContainsKey(change.Key) ? 'M' : 'A', old.ContainsKey(change.Key) ? "100644" : "000000",
                        change.Value is null ? "000000" : "100644", change.Value?.Length ?? 0, change.Value ?? "")),
                ],
                Truncated: false);
        },
        cancellationToken);

    public Task<string> RewriteAsync(RepoName repo, RewriteOrder order, CancellationToken cancellationToken) => gate.RunAsync(
        Call("rewrite", isWrite: true),
        () =>
        {
            Require(repo, order.Base, order.Head, order.Parent);
            var trailers = string.Join('\n', order.Trailers);
            var commits = git.Between(order.Base, order.Head);
            var isLine = commits.Count > 0 && commits[0].Parent == order.Base;
            var head = commits.Skip(isLine ? 0 : commits.Count - 1).Aggregate(
                order.Parent, (on, commit) => git.CommitTree(on, Place(order, commit), $"{commit.Message}\n\n{trailers}", order.Author.Name));
            if (order.Move is { } move && git[head].Tree.TryGetValue(move.From, out var text))
            {
                head = git.Commit(head, [KeyValuePair.Create(move.From, (string?)null), KeyValuePair.Create(move.To, (string?)text)], move.Message, order.Author.Name);
            }

            Store(repo).UnionWith(git.Between(order.Parent, head).Select(commit => commit.Id));
            return head;
        },
        cancellationToken);

    public Task PushAsync(RepoName repo, GitAccess access, string commit, string branch, string? expectedRemote, CancellationToken cancellationToken) => gate.RunAsync(
        Call("push", isWrite: true),
        () =>
        {
            Require(repo, commit);
            var branches = forge.Repo(repo).Branches;
            var now = branches.GetValueOrDefault(branch);
            if (now != expectedRemote && now != commit)
            {
                throw new DriverException(false, $"{branch} is at {now}, not at {expectedRemote}") { Failure = DriverFailure.Conflict };
            }

            forge.Push(repo, branch, commit);
        },
        cancellationToken);

    public Task<bool> IsAncestorAsync(RepoName repo, string ancestor, string commit, CancellationToken cancellationToken) =>
        gate.RunAsync(Call("ancestor", isWrite: false), () => git.IsAncestor(ancestor, commit), cancellationToken);

    public Task<string> DiffAsync(RepoName repo, string baseCommit, string head, int maxBytes, CancellationToken cancellationToken) => gate.RunAsync(
        Call("diff", isWrite: false),
        () =>
        {
            Require(repo, baseCommit, head);
            return string.Join('\n', git.Differences(baseCommit, head).Select(change => $"{change.Key}: {change.Value}"));
        },
        cancellationToken);

    // As the real one: the commit's own tree when it is written on the base itself, else its difference laid over the parent's.
    private ImmutableSortedDictionary<string, string> Place(RewriteOrder order, FakeCommit commit)
    {
        var (from, onto) = (git[order.Base].Tree, git[order.Parent].Tree);
        if (from.SequenceEqual(onto))
        {
            return commit.Tree;
        }

        var changedHere = git.Differences(order.Base, order.Parent).ToDictionary();
        var changes = git.Differences(order.Base, commit.Id);
        if (changes.Any(change => changedHere.TryGetValue(change.Key, out var other) && other != change.Value))
        {
            throw new DriverException(false, "the branch and the delivered commit both changed a file") { Failure = DriverFailure.Conflict };
        }

        return changes.Aggregate(onto, (tree, change) => change.Value is null ? tree.Remove(change.Key) : tree.SetItem(change.Key, change.Value));
    }

    private static PortCall Call(string method, bool isWrite) => new("quarantine", method, isWrite);

    private HashSet<string> Store(RepoName repo)
    {
        if (!stores.TryGetValue(repo, out var store))
        {
            stores[repo] = store = [];
        }

        return store;
    }

    private void Require(RepoName repo, params string[] commits)
    {
        if (commits.FirstOrDefault(commit => !Store(repo).Contains(commit)) is { } missing)
        {
            throw new InvalidOperationException($"the store of {repo} was asked for {missing}, which was never brought into it");
        }
    }
}
