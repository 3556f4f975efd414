using System.Collections.Immutable;
using System.Security.Cryptography;
using System.Text;

namespace Drella.Testing.Fakes;

/// <summary>A commit with one parent and its whole tree: path to text.</summary>
public sealed record FakeCommit(string Id, string? Parent, ImmutableSortedDictionary<string, string> Tree, string Message, string Author);

/// <summary>Every Git object there is, wherever it lies; who holds what is kept by the fakes. Ids follow from content.</summary>
public sealed class FakeGit
{
    private static readonly ImmutableSortedDictionary<string, string> Empty = ImmutableSortedDictionary.Create<string, string>(StringComparer.Ordinal);
    private readonly Dictionary<string, FakeCommit> commits = [];

    public FakeCommit this[string id] => commits[id];

    public static string IdOf(string content) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(content)))[..40];

    /// <summary>Writes a commit; a null text deletes the path.</summary>
    public string Commit(string? parent, IEnumerable<KeyValuePair<string, string?>> changes, string message, string author)
    {
        var tree = parent is null ? Empty : commits[parent].Tree;
        foreach (var (path, text) in changes)
        {
            tree = text is null ? tree.Remove(path) : tree.SetItem(path, text);
        }

        var id = IdOf($"{parent}\n{author}\n{message}\n{string.Join('\n', tree.Select(file => $"{file.Key}={file.Value}"))}");
        commits[id] = new FakeCommit(id, parent, tree, message, author);
        return id;
    }

    public bool Has(string id) => commits.ContainsKey(id);

    /// <summary>The commit and what lies behind it, newest first.</summary>
    public IEnumerable<FakeCommit> History(string id)
    {
        for (var at = commits.GetValueOrDefault(id); at is not null; at = at.Parent is null ? null : commits[at.Parent])
        {
            yield return at;
        }
    }

    public bool IsAncestor(string ancestor, string commit) => History(commit).Any(at => at.Id == ancestor);

    /// <summary>What head has and base has not, oldest first: <c>rev-list --reverse base..head</c>.</summary>
    public IReadOnlyList<FakeCommit> Between(string from, string to)
    {
        var known = History(from).Select(at => at.Id).ToHashSet();
        return [.. History(to).TakeWhile(at => !known.Contains(at.Id)).Reverse()];
    }

    /// <summary>What differs between two trees; null for a path that went.</summary>
    public IReadOnlyList<KeyValuePair<string, string?>> Differences(string? from, string to)
    {
        var (old, now) = (from is null ? Empty : commits[from].Tree, commits[to].Tree);
        return
        [
            .. now.Where(file => old.GetValueOrDefault(file.Key) != file.Value).Select(file => KeyValuePair.Create(file.Key, (string?)file.Value)),
            .. old.Keys.Where(path => !now.ContainsKey(path)).Select(path => KeyValuePair.Create(path, (string?)null)),
        ];
    }

    /// <summary>Writes commits again on another parent, each with what it changed: a rebase.</summary>
    public string Replay(IEnumerable<FakeCommit> changes, string parent, string author, Func<string, string> message) =>
        changes.Aggregate(parent, (on, change) => Commit(on, Differences(change.Parent, change.Id), message(change.Message), author));

    /// <summary>Writes a commit with a given tree, unless that is the parent's own.</summary>
    public string CommitTree(string parent, ImmutableSortedDictionary<string, string> tree, string message, string author)
    {
        var old = commits[parent].Tree;
        var changes = tree.Where(file => old.GetValueOrDefault(file.Key) != file.Value).Select(file => KeyValuePair.Create(file.Key, (string?)file.Value))
            .Concat(old.Keys.Where(path => !tree.ContainsKey(path)).Select(path => KeyValuePair.Create(path, (string?)null)))
            .ToList();
        return changes.Count == 0 ? parent : Commit(parent, changes, message, author);
    }
}
