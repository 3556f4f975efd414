using System.Text;
using Drella.Core.PullRequests;

namespace Drella.Drivers.Git;

/// <summary>Shows the policy what lies between two commits, from raw diffs and raw blobs.</summary>
internal sealed class Inspection(Plumbing plumbing, QuarantineOptions options)
{
    private const int MaxFileText = 1 << 20;
    private const int MaxReadBytes = 8 << 20;
    private const int SniffedBytes = 8000;
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private long textLeft = options.MaxInspectedText;

    public async Task<ChangeSet> LookAsync(string from, string to, CancellationToken cancellationToken)
    {
        var isDescendant = await plumbing.IsAncestorAsync(from, to, cancellationToken);
        var (commits, commitsCut) = await RawCommit.BetweenAsync(plumbing, from, to, options.MaxInspectedCommits, cancellationToken);
        var (changes, filesCut) = await plumbing.DiffAsync(from, to, options.MaxInspectedFiles, cancellationToken);
        var files = await ReadFilesAsync(changes, cancellationToken);
        return new ChangeSet(
            from,
            to,
            isDescendant,
            [.. commits.Select(c => new ChangedCommit(c.ObjectId, c.Parents.Count, c.AuthorName, c.AuthorEmail, c.Message))],
            files,
            commitsCut || filesCut || textLeft <= 0);
    }

    private async Task<IReadOnlyList<ChangedFile>> ReadFilesAsync(IReadOnlyList<RawChange> changes, CancellationToken cancellationToken)
    {
        var files = changes.Select(Describe).ToArray();
        var blobs = Enumerable.Range(0, changes.Count).Where(i => IsBlob(changes[i].NewMode)).ToArray();

        // Old content first, so that the lines that were there already can be left out of what is scanned.
        var known = new HashSet<string>?[changes.Count];
        var old = blobs.Where(i => IsBlob(changes[i].OldMode)).ToArray();
        await BlobReader.ReadAsync(
            plumbing, [.. old.Select(i => changes[i].OldId)], MaxReadBytes, (n, _, content) => known[old[n]] = content is null ? null : LinesOf(content), cancellationToken);
        await BlobReader.ReadAsync(
            plumbing,
            [.. blobs.Select(i => changes[i].NewId)],
            MaxReadBytes,
            (n, size, content) => files[blobs[n]] = files[blobs[n]] with { Size = size, AddedText = Added(content, known[blobs[n]]) },
            cancellationToken);
        return files;
    }

    private static bool IsBlob(string mode) => mode is "100644" or "100755" or "120000" or "100664";

    private static ChangedFile Describe(RawChange change)
    {
        try
        {
            return new ChangedFile(Strict.GetString(change.Path), true, change.Status, change.OldMode, change.NewMode, 0, null);
        }
        catch (DecoderFallbackException)
        {
            return new ChangedFile(Encoding.UTF8.GetString(change.Path), false, change.Status, change.OldMode, change.NewMode, 0, null);
        }
    }

    private static HashSet<string>? LinesOf(byte[] content) =>
        Decode(content) is { } text ? [.. text.Split('\n')] : null;

    /// <summary>
    /// The new text with every line that the old one had left empty: line numbers stay those of the file, and a secret that was there
    /// before is not laid at the guest's door.
    /// </summary>
    private string? Added(byte[]? content, HashSet<string>? known)
    {
        if (content is null || Decode(content) is not { } text)
        {
            return null;
        }

        if (known is not null)
        {
            text = string.Join('\n', text.Split('\n').Select(line => known.Contains(line) ? "" : line));
        }

        text = text.Length > MaxFileText ? text[..MaxFileText] : text;
        textLeft -= text.Length;
        return textLeft > 0 ? text : null;
    }

    // Binary by Git's own rule, a NUL early on, but for texts that say they are UTF-16.
    private static string? Decode(byte[] content) =>
        content.AsSpan().StartsWith<byte>([0xff, 0xfe]) ? Encoding.Unicode.GetString(content)
        : content.AsSpan().StartsWith<byte>([0xfe, 0xff]) ? Encoding.BigEndianUnicode.GetString(content)
        : content.AsSpan(0, Math.Min(content.Length, SniffedBytes)).Contains((byte)0) ? null
        : Encoding.UTF8.GetString(content);
}
