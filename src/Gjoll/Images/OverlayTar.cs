using System.Formats.Tar;
using System.IO.Compression;
using System.Text;

namespace Gjoll.Images;

/// <summary>What is laid over the packages: files, users, npm packages and folders of the host, in one tar. All times are the image's.</summary>
internal sealed class OverlayTar : IAsyncDisposable
{
    private const UnixFileMode Plain = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Executable = Plain | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly TarWriter _writer;
    private readonly DateTimeOffset _timestamp;

    public OverlayTar(string path, DateTimeOffset timestamp)
    {
        _writer = new TarWriter(new FileStream(path, FileMode.CreateNew, FileAccess.Write, FileShare.None, 1 << 20), TarEntryFormat.Gnu);
        _timestamp = timestamp;
    }

    public Task AddFolderAsync(string path, UnixFileMode mode, int owner, CancellationToken cancellationToken) =>
        WriteAsync(TarEntryType.Directory, path, mode, owner, null, null, cancellationToken);

    public Task AddLinkAsync(string path, string target, CancellationToken cancellationToken) =>
        WriteAsync(TarEntryType.SymbolicLink, path, Executable, 0, target, null, cancellationToken);

    public Task AddFileAsync(string path, UnixFileMode mode, int owner, byte[] content, CancellationToken cancellationToken) =>
        WriteAsync(TarEntryType.RegularFile, path, mode, owner, null, new MemoryStream(content), cancellationToken);

    public Task AddFileAsync(string path, UnixFileMode mode, int owner, string content, CancellationToken cancellationToken) =>
        AddFileAsync(path, mode, owner, Encoding.UTF8.GetBytes(content), cancellationToken);

    public Task AddFileAsync(string path, UnixFileMode mode, int owner, int group, string content, CancellationToken cancellationToken) =>
        WriteAsync(TarEntryType.RegularFile, path, mode, owner, null, new MemoryStream(Encoding.UTF8.GetBytes(content)), cancellationToken, group);

    /// <summary>A file as it is, or a folder with all that is in it.</summary>
    public async Task AddTreeAsync(string path, string source, UnixFileMode mode, int owner, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(source))
        {
            await AddFileAsync(path, mode, owner, await File.ReadAllBytesAsync(source, cancellationToken), cancellationToken);
            return;
        }

        await AddFolderAsync(path, Executable, owner, cancellationToken);
        foreach (var item in new DirectoryInfo(source).GetFileSystemInfos().OrderBy(item => item.Name, StringComparer.Ordinal))
        {
            if (item.LinkTarget is { } target)
            {
                await AddLinkAsync($"{path}/{item.Name}", target, cancellationToken);
            }
            else
            {
                var executable = (item.UnixFileMode & UnixFileMode.UserExecute) != 0;
                await AddTreeAsync($"{path}/{item.Name}", item.FullName, executable ? Executable : Plain, owner, cancellationToken);
            }
        }
    }

    /// <summary>The content of a package's only folder. What is neither a file nor a folder has no place in a package and is refused.</summary>
    public async Task AddNpmAsync(NpmDefinition package, string tarball, CancellationToken cancellationToken)
    {
        await using var packed = File.OpenRead(tarball);
        await using var unpacked = new GZipStream(packed, CompressionMode.Decompress);
        await using var reader = new TarReader(unpacked);
        var missing = package.Links.Values.ToHashSet(StringComparer.Ordinal);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            if (entry.EntryType is TarEntryType.Directory or TarEntryType.GlobalExtendedAttributes)
            {
                continue;
            }

            var slash = entry.Name.IndexOf('/', StringComparison.Ordinal);
            var below = entry.Name[(slash + 1)..];
            if (slash < 0 || entry.EntryType is not (TarEntryType.RegularFile or TarEntryType.V7RegularFile) || below.Split('/').Any(part => part is "" or "." or ".."))
            {
                throw new GjollException($"{package.Package}@{package.Version} has the entry '{entry.Name}', which a package must not have.");
            }

            var linked = missing.Remove(below);
            var executable = linked || (entry.Mode & UnixFileMode.UserExecute) != 0;
            await WriteAsync(TarEntryType.RegularFile, $"{package.To}/{below}", executable ? Executable : Plain, 0, null, entry.DataStream, cancellationToken);
        }

        if (missing.Count > 0)
        {
            throw new GjollException($"{package.Package}@{package.Version} has no {string.Join(", ", missing.Order(StringComparer.Ordinal))}, to which a link leads.");
        }

        await AddLinksAsync(package.Links, package.To, cancellationToken);
    }

    public async Task AddHostFolderAsync(HostFolder folder, CancellationToken cancellationToken)
    {
        foreach (var file in folder.Files)
        {
            var path = $"{folder.Definition.To}/{file.Name}";
            if (file.LinkTo is not null)
            {
                await AddLinkAsync(path, file.LinkTo, cancellationToken);
                continue;
            }

            await using var content = File.OpenRead(Path.Combine(folder.Path, file.Name));
            await WriteAsync(TarEntryType.RegularFile, path, file.Executable ? Executable : Plain, 0, null, content, cancellationToken);
        }

        var missing = folder.Definition.Links.Values.Except(folder.Files.Select(file => file.Name), StringComparer.Ordinal).ToList();
        if (missing.Count > 0)
        {
            throw new GjollException($"{folder.Path} has no {string.Join(", ", missing)}, to which a link leads.");
        }

        await AddLinksAsync(folder.Definition.Links, folder.Definition.To, cancellationToken);
    }

    public ValueTask DisposeAsync() => _writer.DisposeAsync();

    private async Task AddLinksAsync(IReadOnlyDictionary<string, string> links, string folder, CancellationToken cancellationToken)
    {
        foreach (var (link, target) in links.OrderBy(pair => pair.Key, StringComparer.Ordinal))
        {
            await AddLinkAsync(link, $"{folder}/{target}", cancellationToken);
        }
    }

    private Task WriteAsync(TarEntryType type, string path, UnixFileMode mode, int owner, string? link, Stream? content, CancellationToken cancellationToken, int? group = null)
    {
        var entry = new GnuTarEntry(type, path.TrimStart('/'))
        {
            Mode = mode,
            Uid = owner,
            Gid = group ?? owner,
            ModificationTime = _timestamp,
            AccessTime = _timestamp,
            ChangeTime = _timestamp,
        };
        if (link is not null)
        {
            entry.LinkName = link;
        }

        if (content is not null)
        {
            entry.DataStream = content;
        }

        return _writer.WriteEntryAsync(entry, cancellationToken);
    }
}
