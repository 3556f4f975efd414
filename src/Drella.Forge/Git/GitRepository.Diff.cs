using System.Text;

namespace Drella.Forge.Git;

internal sealed partial class GitRepository
{
    private const string EmptyTree = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    private const int MaxPatch = 400_000;

    private static readonly string[] DiffGuards = ["--no-ext-diff", "--no-textconv", "--no-color", "--ignore-submodules=none"];

    /// <summary>The changed files between two commits or trees; null as base means the empty tree.</summary>
    public async Task<IReadOnlyList<DiffFile>> DiffAsync(string? from, string to, bool withPatch, CancellationToken cancellationToken)
    {
        string[] range = [from ?? EmptyTree, to, "--"];
        var raw = await RunAsync(["diff-tree", "-r", "-z", "-M", "--raw", "--numstat", "--abbrev=40", .. DiffGuards, .. range], cancellationToken);
        var files = ParseRaw(raw.Text);
        if (!withPatch || files.Count == 0)
        {
            return files;
        }

        var text = await RunAsync(["diff-tree", "-r", "-p", "-M", "--full-index", .. DiffGuards, .. range], cancellationToken);
        return AttachPatches(files, text.Text);
    }

    /// <summary>The whole difference as one patch, as <c>git diff</c> prints it.</summary>
    public async Task<byte[]> DiffTextAsync(string? from, string to, CancellationToken cancellationToken) =>
        (await RunAsync(["diff-tree", "-r", "-p", "-M", "--full-index", .. DiffGuards, from ?? EmptyTree, to, "--"], cancellationToken)).Output;

    /// <summary>The commits of a range as mail patches.</summary>
    public async Task<byte[]> PatchTextAsync(string from, string to, CancellationToken cancellationToken) =>
        (await RunAsync(["format-patch", "--stdout", "--no-signature", .. DiffGuards, from + ".." + to, "--"], cancellationToken)).Output;

    /// <summary>The hunks of one path with no context, to follow a line from one commit to another.</summary>
    public async Task<string> LineChangesAsync(string from, string to, string file, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(
            path, ["diff-tree", "-r", "-p", "-U0", "--no-renames", .. DiffGuards, from, to, "--", file], default, Literal, cancellationToken);
        return result.ExitCode == 0 ? result.Text : throw new GitFailure($"git diff-tree failed: {result.Error.Trim()}");
    }

    // :100644 100644 <old> <new> M\0path\0 or R100\0old\0new\0, then numstat: 1\t2\tpath\0 or 1\t2\t\0old\0new\0.
    private static List<DiffFile> ParseRaw(string text)
    {
        var tokens = text.Split('\0');
        var files = new List<DiffFile>();
        var at = 0;
        while (at < tokens.Length && tokens[at].StartsWith(':'))
        {
            var fields = tokens[at++].Split(' ');
            var renamed = fields[4][0] is 'R' or 'C';
            var previous = renamed ? tokens[at++] : null;
            files.Add(new DiffFile
            {
                Path = tokens[at++],
                PreviousPath = previous,
                Status = fields[4][0] switch { 'A' => "added", 'D' => "removed", 'R' => "renamed", 'C' => "copied", 'T' => "changed", _ => "modified" },
                Sha = fields[4][0] == 'D' ? fields[2] : fields[3],
            });
        }

        for (var i = 0; i < files.Count && at < tokens.Length; i++)
        {
            var counts = tokens[at++].Split('\t');
            at += counts.Length == 3 && counts[2].Length == 0 ? 2 : 0;
            files[i] = files[i] with
            {
                Additions = int.TryParse(counts[0], out var added) ? added : 0,
                Deletions = int.TryParse(counts.ElementAtOrDefault(1), out var removed) ? removed : 0,
            };
        }

        return files;
    }

    private static List<DiffFile> AttachPatches(List<DiffFile> files, string text)
    {
        // Inside a hunk every line starts with a blank, plus, minus or backslash, so this prefix marks a new file and nothing else.
        var sections = ("\n" + text).Split("\ndiff --git ").Skip(1).ToList();
        var result = new List<DiffFile>(files.Count);
        var at = 0;
        foreach (var file in files)
        {
            var patch = new StringBuilder();
            for (var n = file.Status == "changed" ? 2 : 1; n > 0 && at < sections.Count; n--, at++)
            {
                var hunk = sections[at].IndexOf("\n@@ ", StringComparison.Ordinal);
                if (hunk >= 0)
                {
                    patch.Append(sections[at].AsSpan(hunk + 1)).Append('\n');
                }
            }

            var trimmed = patch.ToString().TrimEnd('\n');
            result.Add(file with { Patch = trimmed.Length is > 0 and <= MaxPatch ? trimmed : null });
        }

        return result;
    }
}
