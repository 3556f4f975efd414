using System.Formats.Tar;
using System.Text.Json;
using Gjoll.Hosts;

namespace Gjoll.Images;

/// <summary>
/// The images of this machine: <c>NAME/DIGEST/</c> for each, and <c>NAME/VARIANT.ref</c> with the digest of the latest of each variant. An image appears
/// whole or not at all, and never changes. Many programs may use one store at once.
/// </summary>
public sealed class ImageStore(string folder)
{
    private const string BuildingPrefix = ".building-";
    private const string ReferenceSuffix = ".ref";
    private const string CheckFolder = ".checked";
    private const int MaxManifestLength = 1 << 20;

    private static readonly string[] BootFiles = [ImageManifest.KernelFile, ImageManifest.InitrdFile, ImageManifest.DiskFile];

    public string Folder { get; } = Path.GetFullPath(folder);

    /// <summary>All images whose manifest can be read, also those of another architecture, by name, variant and digest.</summary>
    public async Task<IReadOnlyList<Image>> ListAsync(CancellationToken cancellationToken)
    {
        var images = new List<Image>();
        foreach (var image in Directories(Folder).Where(path => Path.GetFileName(path)[0] != '.').SelectMany(Directories))
        {
            var digest = Path.GetFileName(image);
            if (Digest.IsWellFormed(digest) && File.Exists(Path.Combine(image, ImageManifest.FileName)))
            {
                try
                {
                    images.Add(new Image(image, digest, await ReadManifestAsync(image, digest, cancellationToken)));
                }
                catch (GjollException)
                {
                    // A damaged one is for verify and remove, which name it; the list shows what can be used.
                }
            }
        }

        return [.. images.OrderBy(image => image.Manifest.Name, StringComparer.Ordinal).ThenBy(image => image.Manifest.Variant, StringComparer.Ordinal).ThenBy(image => image.Digest, StringComparer.Ordinal)];
    }

    /// <summary>Whether there is an image of that name, damaged or not.</summary>
    public bool Has(ImageReference reference) => reference.Digest is { } digest ? Directory.Exists(Path.Combine(Folder, reference.Name, digest)) : PointerOf(reference) is not null;

    /// <summary>
    /// Finds an image to boot. Refused, with a <see cref="GjollException"/>, when it is for another architecture or when manifest, kernel, initrd or disk are
    /// not what was built. Each is hashed once for each state of its file.
    /// </summary>
    public async Task<Image> OpenAsync(string reference, CancellationToken cancellationToken)
    {
        var image = await FindAsync(reference, cancellationToken);
        if (image.Manifest.Architecture != ImageArchitecture.Host)
        {
            throw new GjollException($"{image.Reference} is for {image.Manifest.Architecture}; this machine is {ImageArchitecture.Host}.");
        }

        await CheckBootFilesAsync(image, cancellationToken);
        return image;
    }

    /// <summary>Hashes every file of an image. What is wrong is said at once, in one <see cref="GjollException"/>.</summary>
    public async Task<Image> VerifyAsync(string reference, CancellationToken cancellationToken)
    {
        var image = await FindAsync(reference, cancellationToken);
        var wrong = new List<string>();
        foreach (var name in image.Manifest.Files.Keys)
        {
            if (await FaultOfAsync(image, name, cancellationToken) is { } fault)
            {
                wrong.Add(fault);
            }
        }

        wrong.AddRange(Directory.EnumerateFileSystemEntries(image.Folder).Select(path => Path.GetFileName(path)!)
            .Where(name => name != ImageManifest.FileName && !image.Manifest.Files.ContainsKey(name)).Select(name => $"{name} does not belong to it"));
        return wrong.Count == 0 ? image : throw new GjollException($"{image.Reference} is damaged: {string.Join("; ", wrong)}.");
    }

    /// <summary>What a reference stands for now.</summary>
    public Task<string> DigestOfAsync(string reference, CancellationToken cancellationToken) => ResolveAsync(ImageReference.Parse(reference), cancellationToken);

    /// <summary>Removes one image. Sandboxes that run on it keep its open files until they end; they cannot be started again.</summary>
    public async Task RemoveAsync(string reference, CancellationToken cancellationToken)
    {
        var parsed = ImageReference.Parse(reference);
        var digest = await ResolveAsync(parsed, cancellationToken);
        var home = Path.Combine(Folder, parsed.Name);
        foreach (var pointer in Directory.EnumerateFiles(home, "*" + ReferenceSuffix).Where(path => File.ReadAllText(path).Trim() == digest))
        {
            File.Delete(pointer);
        }

        // Renamed first: nobody finds half of it.
        var doomed = Path.Combine(Folder, BuildingPrefix + digest);
        Directory.Move(Path.Combine(home, digest), doomed);
        Directory.Delete(doomed, recursive: true);
        File.Delete(CheckPath(digest));
        if (!Directory.EnumerateFileSystemEntries(home).Any())
        {
            Directory.Delete(home);
        }
    }

    /// <summary>Writes an image as one tar, after verifying it. The same image is the same bytes.</summary>
    public async Task ExportAsync(string reference, string file, CancellationToken cancellationToken)
    {
        var image = await VerifyAsync(reference, cancellationToken);
        var partial = file + ".partial";
        try
        {
            await using (var writer = new TarWriter(new FileStream(partial, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 20), TarEntryFormat.Gnu))
            {
                foreach (var name in image.Manifest.Files.Keys.Append(ImageManifest.FileName).Order(StringComparer.Ordinal))
                {
                    await using var content = File.OpenRead(Path.Combine(image.Folder, name));
                    await writer.WriteEntryAsync(
                        new GnuTarEntry(TarEntryType.RegularFile, name)
                        {
                            Mode = (UnixFileMode)0b110_100_100,
                            ModificationTime = image.Manifest.Timestamp,
                            AccessTime = image.Manifest.Timestamp,
                            ChangeTime = image.Manifest.Timestamp,
                            DataStream = content,
                        },
                        cancellationToken);
                }
            }

            File.Move(partial, file, overwrite: true);
        }
        finally
        {
            File.Delete(partial);
        }
    }

    /// <summary>Whether any image has this digest.</summary>
    internal bool HasDigest(string digest) => Directories(Folder).Any(name => File.Exists(Path.Combine(name, digest, ImageManifest.FileName)));

    /// <summary>The image with these inputs, when it is there.</summary>
    internal async Task<Image?> FindByInputsAsync(string name, string variant, string inputs, CancellationToken cancellationToken) =>
        (await ListAsync(cancellationToken)).FirstOrDefault(image => image.Manifest.Name == name && image.Manifest.Variant == variant && image.Manifest.InputsSha256 == inputs);

    /// <summary>A folder on the store's own file system for an image that is not whole yet, marked with the cache that its builder holds.</summary>
    internal string MakeBuildingFolder(string cache)
    {
        Directory.CreateDirectory(Folder);
        return Directory.CreateDirectory(BuildingPath(cache)).FullName;
    }

    /// <summary>What a build with this cache left, which only its holder may remove: others may be at work with other caches.</summary>
    internal void RemoveUnfinished(string cache)
    {
        if (Directory.Exists(BuildingPath(cache)))
        {
            Directory.Delete(BuildingPath(cache), recursive: true);
        }
    }

    /// <summary>Takes over a finished image, and makes it the latest of its variant.</summary>
    internal async Task<Image> AddAsync(string building, ImageManifest manifest, CancellationToken cancellationToken)
    {
        var bytes = JsonSerializer.SerializeToUtf8Bytes(manifest, ImageJson.Default.ImageManifest);
        await File.WriteAllBytesAsync(Path.Combine(building, ImageManifest.FileName), bytes, cancellationToken);
        foreach (var file in Directory.GetFiles(building))
        {
            File.SetUnixFileMode(file, (UnixFileMode)0b100_100_100);
        }

        var digest = Digest.Of(bytes);
        var home = Directory.CreateDirectory(Path.Combine(Folder, manifest.Name)).FullName;
        var target = Path.Combine(home, digest);
        if (Directory.Exists(target))
        {
            Directory.Delete(building, recursive: true);
        }
        else
        {
            Directory.Move(building, target);
        }

        await PointAsync(manifest, digest, cancellationToken);
        var image = new Image(target, digest, manifest);
        await RememberAsync(image, BootFiles.ToDictionary(name => name, name => StateOf(image, name)!), cancellationToken);
        return image;
    }

    internal async Task PointAsync(ImageManifest manifest, string digest, CancellationToken cancellationToken)
    {
        var pointer = Path.Combine(Folder, manifest.Name, manifest.Variant + ReferenceSuffix);
        await File.WriteAllTextAsync(pointer + ".new", digest + "\n", cancellationToken);
        File.Move(pointer + ".new", pointer, overwrite: true);
    }

    private async Task<Image> FindAsync(string reference, CancellationToken cancellationToken)
    {
        var parsed = ImageReference.Parse(reference);
        var digest = await ResolveAsync(parsed, cancellationToken);
        var home = Path.Combine(Folder, parsed.Name, digest);
        var manifest = await ReadManifestAsync(home, digest, cancellationToken);
        return manifest.Name == parsed.Name && (parsed.Variant is null || manifest.Variant == parsed.Variant)
            ? new Image(home, digest, manifest)
            : throw new GjollException($"{home} holds {manifest.Name}:{manifest.Variant}, not {parsed}.");
    }

    private async Task<string> ResolveAsync(ImageReference reference, CancellationToken cancellationToken)
    {
        var home = Path.Combine(Folder, reference.Name);
        if (reference.Digest is { } digest)
        {
            return Directory.Exists(Path.Combine(home, digest)) ? digest : throw new GjollException($"There is no image {reference} in {Folder} any more: build it again with 'gjoll image build', or take another.");
        }

        var pointer = PointerOf(reference) ?? throw new GjollException(Pointers(reference.Name) is { Length: > 0 } others
            ? $"There is no image {reference.Name}:{reference.Variant ?? ImageReference.DefaultVariant} in {Folder}; there is {string.Join(", ", others.Select(path => $"{reference.Name}:{Path.GetFileNameWithoutExtension(path)}").Order(StringComparer.Ordinal))}."
            : $"There is no image {reference.Name} in {Folder}; build it with 'gjoll image build'.");
        var text = (await File.ReadAllTextAsync(pointer, cancellationToken)).Trim();
        return Digest.IsWellFormed(text) ? text : throw new GjollException($"{pointer} holds no digest.");
    }

    private string? PointerOf(ImageReference reference)
    {
        var pointers = Pointers(reference.Name);
        var wanted = Path.Combine(Folder, reference.Name, (reference.Variant ?? ImageReference.DefaultVariant) + ReferenceSuffix);
        return pointers.Contains(wanted) ? wanted
            // A name alone is the only variant that is there, when none is called 'default'.
            : reference.Variant is null && pointers is [var single] ? single
            : null;
    }

    private string[] Pointers(string name) => Directory.Exists(Path.Combine(Folder, name)) ? Directory.GetFiles(Path.Combine(Folder, name), "*" + ReferenceSuffix) : [];

    private static async Task<ImageManifest> ReadManifestAsync(string image, string digest, CancellationToken cancellationToken)
    {
        var path = Path.Combine(image, ImageManifest.FileName);
        if (!File.Exists(path) || new FileInfo(path).Length > MaxManifestLength)
        {
            throw new GjollException($"{image} has no manifest.");
        }

        var bytes = await File.ReadAllBytesAsync(path, cancellationToken);
        if (Digest.Of(bytes) != digest)
        {
            throw new GjollException($"{path} is not what was built: its digest is {Digest.Of(bytes)}.");
        }

        try
        {
            var manifest = JsonSerializer.Deserialize(bytes, ImageJson.Default.ImageManifest) ?? throw new JsonException("it is null");
            return manifest.Format == ImageManifest.CurrentFormat && ImageManifest.Required.All(manifest.Files.ContainsKey) && manifest.Files.Keys.All(name => name == Path.GetFileName(name))
                ? manifest
                : throw new GjollException($"{path} has format {manifest.Format}; this program reads format {ImageManifest.CurrentFormat}.");
        }
        catch (JsonException broken)
        {
            throw new GjollException($"{path} cannot be read: {broken.Message}", isTransient: false, broken);
        }
    }

    private static async Task CheckFileAsync(Image image, string name, CancellationToken cancellationToken)
    {
        if (await FaultOfAsync(image, name, cancellationToken) is { } fault)
        {
            throw new GjollException($"{image.Reference} must not boot: {fault}. Remove it and build it again.");
        }
    }

    private static async Task<string?> FaultOfAsync(Image image, string name, CancellationToken cancellationToken)
    {
        var path = Path.Combine(image.Folder, name);
        var expected = image.Manifest.Files[name];
        if (!File.Exists(path))
        {
            return $"{name} is missing";
        }

        var size = new FileInfo(path).Length;
        if (size != expected.Size)
        {
            return $"{name} has {size} bytes instead of {expected.Size}";
        }

        var actual = await Digest.OfFileAsync(path, cancellationToken);
        return actual == expected.Sha256 ? null : $"{name} is not what was built (sha256 {actual} instead of {expected.Sha256})";
    }

    private async Task CheckBootFilesAsync(Image image, CancellationToken cancellationToken)
    {
        var known = await ReadCheckAsync(image, cancellationToken);
        // Taken before a file is read: who changes it meanwhile has it read again.
        var now = BootFiles.ToDictionary(name => name, name => StateOf(image, name));
        var unknown = BootFiles.Where(name => now[name] is null || !known.TryGetValue(name, out var state) || state != now[name]).ToList();
        foreach (var name in unknown)
        {
            await CheckFileAsync(image, name, cancellationToken);
        }

        if (unknown.Count > 0)
        {
            await RememberAsync(image, now!, cancellationToken);
        }
    }

    private static CheckedFile? StateOf(Image image, string name)
    {
        var path = Path.Combine(image.Folder, name);
        return File.Exists(path) ? new CheckedFile(image.Manifest.Files[name].Sha256, Native.Identify(path)) : null;
    }

    private async Task<Dictionary<string, CheckedFile>> ReadCheckAsync(Image image, CancellationToken cancellationToken)
    {
        try
        {
            return JsonSerializer.Deserialize(await File.ReadAllBytesAsync(CheckPath(image.Digest), cancellationToken), ImageJson.Default.DictionaryStringCheckedFile) ?? [];
        }
        catch (Exception unusable) when (unusable is IOException or JsonException)
        {
            return [];
        }
    }

    private async Task RememberAsync(Image image, Dictionary<string, CheckedFile> files, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(Path.Combine(Folder, CheckFolder));
        var path = CheckPath(image.Digest);
        var partial = $"{path}.{Path.GetRandomFileName()}";
        await File.WriteAllBytesAsync(partial, JsonSerializer.SerializeToUtf8Bytes(files, ImageJson.Default.DictionaryStringCheckedFile), cancellationToken);
        File.Move(partial, path, overwrite: true);
    }

    private string BuildingPath(string cache) => Path.Combine(Folder, BuildingPrefix + Digest.Of(cache)[..16]);

    private string CheckPath(string digest) => Path.Combine(Folder, CheckFolder, digest + ".json");

    private static string[] Directories(string folder) => Directory.Exists(folder) ? Directory.GetDirectories(folder) : [];
}
