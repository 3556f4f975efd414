using System.Globalization;
using System.Text;

namespace Drella.Drivers.Git;

/// <summary>A commit object as its bytes say; every text in it is hostile.</summary>
internal sealed record RawCommit(
    string ObjectId, string Tree, IReadOnlyList<string> Parents, string AuthorName, string AuthorEmail, long AuthoredAt, long CommittedAt, string Message)
{
    private const long MaxBytes = 1 << 20;

    // Seconds of the year 2100: past it some readers fall over.
    private const long LatestDate = 4_102_444_800;

    /// <summary>Reads the commits between, oldest first. Cut when there are more than <paramref name="most"/>.</summary>
    public static async Task<(IReadOnlyList<RawCommit> Commits, bool WasCut)> BetweenAsync(
        Plumbing plumbing, string from, string to, int most, CancellationToken cancellationToken)
    {
        const int Line = 41;
        var list = await plumbing.RunAsync(
            plumbing.Call("rev-list", "--topo-order", "--reverse", Plumbing.Id(to), "^" + Plumbing.Id(from)) with { MaxOutput = checked(most * Line) },
            cancellationToken);
        var ids = list.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        var commits = new RawCommit[ids.Length];
        await BlobReader.ReadAsync(
            plumbing, ids, MaxBytes, (i, _, content) => commits[i] = Parse(ids[i], content ?? "\n\n(message too long)"u8.ToArray()), cancellationToken);
        return (commits, list.WasCut || commits.Any(c => c.Tree.Length == 0));
    }

    internal static RawCommit Parse(string id, byte[] content)
    {
        var text = Encoding.UTF8.GetString(content);
        var split = text.IndexOf("\n\n", StringComparison.Ordinal);
        var (head, message) = split < 0 ? (text, "") : (text[..split], text[(split + 2)..]);
        string tree = "", name = "", email = "";
        List<string> parents = [];
        long authored = 0, committed = 0;
        foreach (var line in head.Split('\n'))
        {
            var space = line.IndexOf(' ', StringComparison.Ordinal);
            var value = line[(space + 1)..];
            switch (space < 0 ? "" : line[..space])
            {
                case "tree":
                    tree = value;
                    break;
                case "parent":
                    parents.Add(value);
                    break;
                case "author":
                    (name, email, authored) = Person(value);
                    break;
                case "committer":
                    (_, _, committed) = Person(value);
                    break;
            }
        }

        return new RawCommit(id, tree, parents, name, email, authored, committed, message);
    }

    // Name <address> 1700000000 +0100
    private static (string Name, string Email, long At) Person(string value)
    {
        var open = value.IndexOf('<', StringComparison.Ordinal);
        var close = value.LastIndexOf('>');
        if (open < 0 || close < open)
        {
            return (value, "", 0);
        }

        var at = value[(close + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var seconds = at.Length > 0 && long.TryParse(at[0], NumberStyles.None, CultureInfo.InvariantCulture, out var s) ? s : 0;
        return (value[..open].Trim(), value[(open + 1)..close], Math.Clamp(seconds, 0, LatestDate));
    }
}
