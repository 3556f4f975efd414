using Gjoll.Hosts;

namespace Gjoll.Archives;

/// <summary>How much a guest may send.</summary>
public sealed record ArchiveLimits
{
    public long MaxBytes { get; init; } = 16L << 30;
    public int MaxEntries { get; init; } = 1_000_000;
}

/// <param name="Files">Files and links.</param>
/// <param name="Bytes">Content of files.</param>
public sealed record ArchiveResult(int Files, int Folders, long Bytes);

/// <summary>
/// Unpacks an archive that a guest made into a folder of the host. Every entry is checked before anything is made of it: it lies below the one name that was
/// asked for, its folders are folders that this archive made, and a link leads to a place below that name.
/// </summary>
public static class GuestArchive
{
    private const int MaxName = 4096;
    private const int MaxPart = 255;
    private const int MaxDepth = 256;

    /// <param name="archive">The stream.</param>
    /// <param name="draft">An empty folder that nobody else writes to. After a failure it holds what came until then.</param>
    /// <param name="root">The one name at the top of the archive; <c>.</c> for all.</param>
    /// <param name="limits">More is refused.</param>
    /// <param name="cancellationToken">Gives up.</param>
    /// <exception cref="GjollException">The archive is refused.</exception>
    public static async Task<ArchiveResult> UnpackAsync(Stream archive, string draft, string root, ArchiveLimits limits, CancellationToken cancellationToken)
    {
        var input = new TarInput(archive);
        var made = new Dictionary<string, TarEntryKind>(StringComparer.Ordinal) { [""] = TarEntryKind.Folder };
        var (files, folders, bytes) = (0, 0, 0L);
        while (await input.ReadAsync(cancellationToken) is { } entry)
        {
            if (files + folders >= limits.MaxEntries)
            {
                throw Refused(entry, $"there are more than {limits.MaxEntries} entries");
            }

            var parts = Parts(entry, root);
            if (parts.Length == 0)
            {
                continue;
            }

            var name = string.Join('/', parts);
            MakeParents(draft, entry, parts, made);
            var path = Path.Combine(draft, name);
            if (entry.Kind == TarEntryKind.Folder && made.GetValueOrDefault(name, TarEntryKind.File) == TarEntryKind.Folder)
            {
                continue;
            }

            if (!made.TryAdd(name, entry.Kind))
            {
                throw Refused(entry, "it comes twice");
            }

            switch (entry.Kind)
            {
                case TarEntryKind.Folder:
                    Directory.CreateDirectory(path, Modes.Owner | ((UnixFileMode)entry.Mode & Modes.FolderForAll));
                    folders++;
                    continue;
                case TarEntryKind.File:
                    bytes = Count(entry, bytes, entry.Size, limits);
                    await using (var file = Create(path, entry.Mode))
                    {
                        await input.CopyToAsync(file, cancellationToken);
                    }

                    break;
                case TarEntryKind.SymbolicLink:
                    CheckLink(entry, parts, root);
                    File.CreateSymbolicLink(path, entry.LinkTo);
                    break;
                case TarEntryKind.HardLink:
                    var source = string.Join('/', Parts(entry with { Name = entry.LinkTo }, root));
                    if (made.GetValueOrDefault(source, TarEntryKind.Folder) != TarEntryKind.File)
                    {
                        throw Refused(entry, "it links to what is no file of this archive");
                    }

                    // A copy: two names for one file would surprise whoever edits one of them.
                    var original = Path.Combine(draft, source);
                    bytes = Count(entry, bytes, new FileInfo(original).Length, limits);
                    File.Copy(original, path);
                    made[name] = TarEntryKind.File;
                    break;
            }

            files++;
        }

        return new ArchiveResult(files, folders, bytes);
    }

    private static long Count(TarEntry entry, long before, long size, ArchiveLimits limits) =>
        size <= limits.MaxBytes - before ? before + size : throw Refused(entry, $"there are more than {limits.MaxBytes} bytes");

    private static FileStream Create(string path, int mode) => new(path, new FileStreamOptions
    {
        Mode = FileMode.CreateNew,
        Access = FileAccess.Write,
        UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | ((UnixFileMode)mode & (Modes.FolderForAll)),
    });

    private static void MakeParents(string draft, TarEntry entry, string[] parts, Dictionary<string, TarEntryKind> made)
    {
        for (var length = 1; length < parts.Length; length++)
        {
            var parent = string.Join('/', parts[..length]);
            if (made.TryAdd(parent, TarEntryKind.Folder))
            {
                Directory.CreateDirectory(Path.Combine(draft, parent), Modes.Owner);
            }
            else if (made[parent] != TarEntryKind.Folder)
            {
                throw Refused(entry, $"{Printable.Of(parent)} is no folder");
            }
        }
    }

    private static string[] Parts(TarEntry entry, string root)
    {
        if (entry.Name.Length is 0 or > MaxName)
        {
            throw Refused(entry, "its name is empty or too long");
        }

        if (entry.Name[0] == '/')
        {
            throw Refused(entry, "its name is absolute");
        }

        var parts = entry.Name.Split('/').Where(part => part is not ("" or ".")).ToArray();
        if (parts.Contains(".."))
        {
            throw Refused(entry, "its name leads upwards");
        }

        if (parts.Length > MaxDepth || parts.Any(part => System.Text.Encoding.UTF8.GetByteCount(part) > MaxPart))
        {
            throw Refused(entry, "its name is too long");
        }

        return root == "." || (parts.Length > 0 && parts[0] == root) ? parts : throw Refused(entry, $"it is not below '{Printable.Of(root)}'");
    }

    // Upwards only at the beginning, where the folders are real: after a name of the archive '..' could start from wherever a link leads.
    private static void CheckLink(TarEntry entry, string[] parts, string root)
    {
        if (entry.LinkTo.Length is 0 or > MaxName || entry.LinkTo[0] == '/')
        {
            throw Refused(entry, "it is a link to an absolute place");
        }

        var target = entry.LinkTo.Split('/').Where(part => part is not ("" or ".")).ToList();
        var upwards = target.TakeWhile(part => part == "..").Count();
        var above = root == "." ? parts.Length - 1 : parts.Length - 2;
        if (upwards > Math.Max(0, above) || target.Skip(upwards).Contains(".."))
        {
            throw Refused(entry, "it is a link that leads out");
        }
    }

    private static GjollException Refused(TarEntry entry, string why) => new($"The archive that the guest sent is refused at '{Printable.Of(entry.Name)}': {why}.");
}
