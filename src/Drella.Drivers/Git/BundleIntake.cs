using System.Buffers.Binary;
using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Drella.Core;

namespace Drella.Drivers.Git;

/// <summary>
/// Takes the objects of a hostile bundle into a store. Git's own bundle reader is not used at all: the header is read here, and the
/// pack goes through <c>index-pack --strict</c> in a jail whose only writable place is a scratch repository, with the store as read-only
/// alternate. So whatever a hostile pack does to Git, the store cannot be written by it; the host copies the finished pack over only after
/// fsck, connectivity and the shape of the tree have passed. Nothing is left behind when one fails.
/// </summary>
internal sealed partial class BundleIntake(GitCommand git, Jail jail, QuarantineOptions options, TimeProvider time)
{
    /// <summary>Returns the head commit, now with everything it needs in the store.</summary>
    public async Task<string> TakeAsync(GitStore.Lease store, string scratch, Stream bundle, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(options.IngestTimeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        try
        {
            return await TakeInTimeAsync(store, scratch, bundle, linked.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw Invalid($"taking the bundle took longer than {options.IngestTimeout}");
        }
        catch (FormatException e)
        {
            throw Invalid(e.Message);
        }
    }

    private static DriverException Invalid(string reason) => new(false, reason) { Failure = DriverFailure.Invalid };

    private async Task<string> TakeInTimeAsync(GitStore.Lease store, string scratch, Stream bundle, CancellationToken cancellationToken)
    {
        var file = Path.Combine(scratch, "bundle");
        await using var copy = new FileStream(file, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None);
        await CopyCappedAsync(bundle, copy, cancellationToken);
        copy.Position = 0;
        var header = await BundleHeader.ReadAsync(copy, cancellationToken);
        if (header.Objects > options.MaxBundleObjects)
        {
            throw Invalid($"the bundle has {header.Objects} objects; at most {options.MaxBundleObjects} are taken");
        }

        await RequirePrerequisitesAsync(store, header, cancellationToken);

        var repository = Path.Combine(scratch, "repository");
        GitStore.MakeRepository(repository);
        jail.HandOver(repository);
        var cell = new Cell(jail, options, repository, store.Objects);

        // A pack without objects has nothing to index.
        string? pack = null;
        if (header.Objects > 0)
        {
            copy.Position = header.PackOffset;
            pack = await IndexAsync(cell, copy, cancellationToken);
        }

        await RequireConnectedAsync(cell, header, cancellationToken);
        await RequireModestTreeAsync(cell, header.Head, cancellationToken);
        if (pack is not null)
        {
            await StoreAsync(repository, store, pack, cancellationToken);
        }

        return header.Head;
    }

    private async Task CopyCappedAsync(Stream from, FileStream to, CancellationToken cancellationToken)
    {
        var buffer = new byte[81920];
        int read;
        while ((read = await from.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (to.Length + read > options.MaxBundleBytes)
            {
                throw Invalid($"the bundle is larger than {options.MaxBundleBytes} bytes");
            }

            await to.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }
    }

    private async Task RequirePrerequisitesAsync(GitStore.Lease store, BundleHeader header, CancellationToken cancellationToken)
    {
        var answer = await git.RunCheckedAsync(
            new GitCall(store.Path, "cat-file", "--batch-check=%(objecttype)")
            {
                Timeout = options.LocalTimeout,
                Input = (stdin, token) => stdin.WriteAsync(Encoding.ASCII.GetBytes(string.Concat(header.Prerequisites.Select(p => p + "\n"))), token).AsTask(),
            },
            cancellationToken);
        var types = answer.Text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        for (var i = 0; i < header.Prerequisites.Count; i++)
        {
            if (types.ElementAtOrDefault(i) != "commit")
            {
                throw Invalid($"the bundle needs commit {header.Prerequisites[i]}, which the factory does not have");
            }
        }
    }

    private async Task<string> IndexAsync(Cell cell, FileStream copy, CancellationToken cancellationToken)
    {
        var result = await git.RunAsync(
            cell.Call(
                "index-pack", "--stdin", "--fix-thin", "--strict", "--threads=1",
                $"--max-input-size={options.MaxBundleBytes.ToString(CultureInfo.InvariantCulture)}") with
            {
                Input = (stdin, token) => copy.CopyToAsync(stdin, token),
                MaxOutput = 4096,
            },
            cancellationToken);
        var name = PackName().Match(result.Text);
        return result.ExitCode == 0 && name.Success
            ? name.Groups[1].Value
            : throw Invalid($"Git does not accept the bundle's objects: {Reason(result)}");
    }

    private async Task RequireConnectedAsync(Cell cell, BundleHeader header, CancellationToken cancellationToken)
    {
        var type = await git.RunAsync(cell.Call("cat-file", "-t", header.Head), cancellationToken);
        if (type.Text != "commit")
        {
            throw Invalid("the bundle's branch does not point to a commit that it holds");
        }

        string[] limits = header.Prerequisites.Count == 0 ? [] : ["--not", .. header.Prerequisites];
        var walk = new EntryCounter((byte)'\n', checked(options.MaxBundleObjects + options.MaxTreeEntries), options);
        var result = await git.RunAsync(
            cell.Call(["rev-list", "--objects", header.Head, .. limits]) with { Output = walk.ReadAsync }, cancellationToken);
        if (walk.Excess is { } excess)
        {
            throw Invalid(excess);
        }

        if (result.ExitCode != 0)
        {
            throw Invalid($"the bundle is not complete: {Reason(result)}");
        }
    }

    // What is walked on the host later (diff-tree recurses) must be known to be small: a few objects can describe an endless tree.
    private async Task RequireModestTreeAsync(Cell cell, string head, CancellationToken cancellationToken)
    {
        var walk = new EntryCounter(0, options.MaxTreeEntries, options);
        var result = await git.RunAsync(cell.Call("ls-tree", "-r", "-t", "-z", "--name-only", head) with { Output = walk.ReadAsync }, cancellationToken);
        if (walk.Excess is not null || result.ExitCode != 0)
        {
            throw Invalid(walk.Excess ?? $"the tree cannot be read: {Reason(result)}");
        }
    }

    // The jailed process has ended, so nothing changes under our hands; it may have left links, which are not followed.
    private static async Task StoreAsync(string repository, GitStore.Lease store, string pack, CancellationToken cancellationToken)
    {
        var target = Path.Combine(store.Objects, "pack", $"pack-{pack}");
        if (File.Exists(target + ".idx"))
        {
            return;
        }

        // The index last: Git sees a pack from the moment its index is there.
        foreach (var suffix in new[] { ".pack", ".idx" })
        {
            var source = new FileInfo(Path.Combine(repository, "objects", "pack", $"pack-{pack}{suffix}"));
            if (!source.Exists || source.LinkTarget is not null)
            {
                throw Invalid("the checked pack is not where it should be");
            }

            var partial = $"{target}{suffix}.partial";
            await using (var from = source.OpenRead())
            await using (var to = new FileStream(partial, FileMode.Create, FileAccess.Write))
            {
                await from.CopyToAsync(to, cancellationToken);
                to.Flush(flushToDisk: true);
            }

            PrivateFolder.SetMode(partial, UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
            File.Move(partial, target + suffix, overwrite: true);
        }
    }

    private static string Reason(GitResult result)
    {
        var last = result.ErrorTail.Split('\n').LastOrDefault(l => l.StartsWith("fatal:", StringComparison.Ordinal) || l.StartsWith("error:", StringComparison.Ordinal));
        return last is null ? $"ended with {result.ExitCode}" : last[..Math.Min(last.Length, 300)];
    }

    [GeneratedRegex(@"^pack\t([0-9a-f]{40})$", RegexOptions.CultureInvariant)]
    private static partial Regex PackName();

    private sealed record Cell(Jail Jail, QuarantineOptions Options, string Repository, string StoreObjects)
    {
        public GitCall Call(params string[] arguments) => new(Jail.Scratch(Repository), arguments)
        {
            Wrapper = Jail.Wrapper(Repository, StoreObjects, Options),
            Environment = new Dictionary<string, string> { ["GIT_ALTERNATE_OBJECT_DIRECTORIES"] = Jail.StoreObjects(StoreObjects) },
            Timeout = Options.IngestTimeout,
        };
    }

    /// <summary>Counts entries, folders and path bytes as they stream by and stops at the first excess.</summary>
    private sealed class EntryCounter(byte separator, int mostEntries, QuarantineOptions options)
    {
        public string? Excess { get; private set; }

        public async Task ReadAsync(Stream stream, CancellationToken cancellationToken)
        {
            var buffer = new byte[81920];
            int read, entries = 0, length = 0, depth = 0;
            while (Excess is null && (read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
            {
                foreach (var b in buffer.AsSpan(0, read))
                {
                    (length, depth) = b == separator ? (0, 0) : (length + 1, b == (byte)'/' ? depth + 1 : depth);
                    entries += b == separator ? 1 : 0;
                    Excess ??= entries > mostEntries ? $"the delivered tree has more than {mostEntries} entries"
                        : length > options.MaxPathBytes + 41 ? $"the delivered tree has a path of more than {options.MaxPathBytes} bytes"
                        : depth > options.MaxTreeDepth ? $"the delivered tree has more than {options.MaxTreeDepth} folders one inside another"
                        : null;
                }
            }
        }
    }
}
