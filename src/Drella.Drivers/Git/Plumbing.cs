using System.Globalization;
using System.Text;
using Drella.Core;

namespace Drella.Drivers.Git;

/// <summary>One entry of <c>diff-tree --raw -z</c>.</summary>
internal sealed record RawChange(string OldMode, string NewMode, string OldId, string NewId, char Status, byte[] Path);

/// <summary>Questions to one store, answered by plumbing: nothing here looks at a work tree, an attribute or a driver.</summary>
internal sealed class Plumbing(GitCommand git, QuarantineOptions options, string store)
{
    public Task<GitResult> RunAsync(CancellationToken cancellationToken, params string[] arguments) => git.RunAsync(Call(arguments), cancellationToken);

    public async Task<string> TextAsync(CancellationToken cancellationToken, params string[] arguments) =>
        (await git.RunCheckedAsync(Call(arguments), cancellationToken)).Text;

    public Task<GitResult> RunAsync(GitCall call, CancellationToken cancellationToken) => git.RunCheckedAsync(call, cancellationToken);

    public GitCall Call(params string[] arguments) => new(store, arguments) { Timeout = options.LocalTimeout };

    public async Task<bool> IsAncestorAsync(string ancestor, string commit, CancellationToken cancellationToken)
    {
        var result = await RunAsync(cancellationToken, "merge-base", "--is-ancestor", Id(ancestor), Id(commit));
        return result.ExitCode switch
        {
            0 => true,
            1 => false,
            _ => throw new DriverException(false, $"cannot compare {ancestor} with {commit}: {result.ErrorTail}") { Failure = DriverFailure.Invalid },
        };
    }

    public Task<string> TreeOfAsync(string commit, CancellationToken cancellationToken) =>
        TextAsync(cancellationToken, "rev-parse", "--verify", "--end-of-options", Id(commit) + "^{tree}");

    public async Task<(IReadOnlyList<RawChange> Changes, bool WasCut)> DiffAsync(string from, string to, int most, CancellationToken cancellationToken)
    {
        var result = await RunAsync(
            Call("diff-tree", "-r", "--raw", "-z", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", Id(from), Id(to)) with
            {
                MaxOutput = checked(most * 512),
            },
            cancellationToken);
        return Parse(result.Output, most, result.WasCut);
    }

    public async Task UpdateRefAsync(string name, string commit, CancellationToken cancellationToken) =>
        await TextAsync(cancellationToken, "update-ref", "--no-deref", name, Id(commit));

    /// <summary>Guards every place where an object id becomes an argument.</summary>
    public static string Id(string objectId) =>
        BundleHeader.IsObjectId(objectId) ? objectId : throw new ArgumentException("not an object id", nameof(objectId));

    // :100644 100644 <id> <id> M NUL path NUL
    private static (IReadOnlyList<RawChange> Changes, bool WasCut) Parse(byte[] output, int most, bool wasCut)
    {
        List<RawChange> changes = [];
        var rest = output.AsSpan();
        while (rest.Length > 0)
        {
            var end = rest.IndexOf((byte)0);
            var pathEnd = end < 0 ? -1 : rest[(end + 1)..].IndexOf((byte)0);
            if (pathEnd < 0 || changes.Count == most)
            {
                return (changes, true);
            }

            var fields = Encoding.ASCII.GetString(rest[1..end]).Split(' ');
            changes.Add(new RawChange(fields[0], fields[1], fields[2], fields[3], fields[4][0], rest.Slice(end + 1, pathEnd).ToArray()));
            rest = rest[(end + 1 + pathEnd + 1)..];
        }

        return (changes, wasCut);
    }
}

/// <summary>A <c>cat-file --batch</c> conversation: one request, one answer, in order.</summary>
internal static class BlobReader
{
    /// <summary>Hands each object's content (null when it is larger than <paramref name="most"/>) and size to the visitor, in order.</summary>
    public static async Task ReadAsync(
        Plumbing plumbing, IReadOnlyList<string> ids, long most, Action<int, long, byte[]?> visit, CancellationToken cancellationToken)
    {
        var sizes = await SizesAsync(plumbing, ids, cancellationToken);
        var wanted = Enumerable.Range(0, ids.Count).Where(i => sizes[i] <= most).ToArray();
        for (var i = 0; i < ids.Count; i++)
        {
            if (sizes[i] > most)
            {
                visit(i, sizes[i], null);
            }
        }

        await plumbing.RunAsync(
            plumbing.Call("cat-file", "--batch") with
            {
                Input = (stdin, token) => stdin.WriteAsync(Lines(wanted.Select(i => ids[i])), token).AsTask(),
                Output = async (stdout, token) =>
                {
                    var buffered = new BufferedStream(stdout, 81920);
                    foreach (var i in wanted)
                    {
                        await SkipLineAsync(buffered, token);
                        var content = new byte[sizes[i]];
                        await buffered.ReadExactlyAsync(content, token);
                        await buffered.ReadExactlyAsync(new byte[1], token);
                        visit(i, sizes[i], content);
                    }
                },
            },
            cancellationToken);
    }

    public static async Task<long[]> SizesAsync(Plumbing plumbing, IReadOnlyList<string> ids, CancellationToken cancellationToken)
    {
        var result = await plumbing.RunAsync(
            plumbing.Call("cat-file", "--batch-check=%(objectsize)") with
            {
                Input = (stdin, token) => stdin.WriteAsync(Lines(ids), token).AsTask(),
            },
            cancellationToken);
        var sizes = result.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        return sizes.Length == ids.Count
            ? [.. sizes.Select(s => long.TryParse(s, CultureInfo.InvariantCulture, out var size) ? size : throw new DriverException(false, $"object is absent: {s}"))]
            : throw new DriverException(false, "git cat-file gave another number of answers than questions");
    }

    private static byte[] Lines(IEnumerable<string> ids) => Encoding.ASCII.GetBytes(string.Concat(ids.Select(i => i + "\n")));

    private static async Task SkipLineAsync(Stream stream, CancellationToken cancellationToken)
    {
        var one = new byte[1];
        do
        {
            await stream.ReadExactlyAsync(one, cancellationToken);
        }
        while (one[0] != '\n');
    }
}
