namespace Gjoll.Images;

/// <summary>What an image is to be: the content of an <c>image.yaml</c> and the folder it stands in. See docs/formats/image.md.</summary>
public sealed record ImageDefinition
{
    public const int CurrentFormat = 1;

    public const string FileName = "image.yaml";

    /// <summary>Sources of files are below it.</summary>
    public required string Folder { get; init; }

    public required string Name { get; init; }
    public required string Architecture { get; init; }
    public required string Suite { get; init; }

    /// <summary>Nothing in the image is younger. The same moment in each build makes two builds the same.</summary>
    public required DateTimeOffset Timestamp { get; init; }

    public required KernelDefinition Kernel { get; init; }
    public required IReadOnlyDictionary<string, LayerDefinition> Layers { get; init; }
    public required IReadOnlyDictionary<string, VariantDefinition> Variants { get; init; }

    /// <summary>Reads the definition in a folder, or the file itself. Everything that is wrong with it is said at once, in one <see cref="GjollException"/>.</summary>
    public static async Task<ImageDefinition> LoadAsync(string path, CancellationToken cancellationToken)
    {
        var file = Directory.Exists(path) ? Path.Combine(path, FileName) : path;
        if (!File.Exists(file))
        {
            throw new GjollException($"There is no image definition at {file}.");
        }

        if (new FileInfo(file).Length > DefinitionReader.MaxLength)
        {
            throw new GjollException($"{file} is longer than the {DefinitionReader.MaxLength} bytes that a definition may have.");
        }

        var reading = DefinitionReader.Read(await File.ReadAllTextAsync(file, cancellationToken), Path.GetDirectoryName(Path.GetFullPath(file))!);
        return reading.Definition ?? throw new GjollException(
            $"{file} has {reading.Errors.Count} error{(reading.Errors.Count == 1 ? "" : "s")}:\n{string.Join('\n', reading.Errors.Select(error => $"  {error}"))}");
    }

    internal IEnumerable<LayerDefinition> LayersOf(VariantDefinition variant) => variant.Layers.Select(name => Layers[name]);
}

public sealed record KernelDefinition
{
    /// <summary>The Debian package that brings it.</summary>
    public required string Package { get; init; }

    /// <summary>Loaded by the guest agent before it mounts the disk, after what they depend on.</summary>
    public required IReadOnlyList<string> Modules { get; init; }

    public required string CommandLine { get; init; }
}

public sealed record VariantDefinition
{
    public required string Name { get; init; }
    public required IReadOnlyList<string> Layers { get; init; }

    /// <summary>Size of the disk, content and room together. A sandbox grows its own.</summary>
    public required long DiskBytes { get; init; }
}

public sealed record LayerDefinition
{
    public required string Name { get; init; }
    public IReadOnlyList<string> Packages { get; init; } = [];
    public IReadOnlyList<UserDefinition> Users { get; init; } = [];
    public IReadOnlyList<FileDefinition> Files { get; init; } = [];
    public IReadOnlyList<NpmDefinition> Npm { get; init; } = [];
    public IReadOnlyList<HostFolderDefinition> HostFolders { get; init; } = [];

    /// <summary>Shell commands that must succeed in the finished tree, as the first user and without a network: one for each tool that is promised.</summary>
    public IReadOnlyList<string> Tests { get; init; } = [];

    /// <summary>Commands that a template runs once before its snapshot is taken.</summary>
    public IReadOnlyList<string> Warm { get; init; } = [];
}

public sealed record UserDefinition
{
    public required string Name { get; init; }
    public required int Id { get; init; }
    public required string Shell { get; init; }

    /// <summary>May become root without a password.</summary>
    public bool Sudo { get; init; }
}

/// <summary>One path of the image: a file with this content, a file or folder copied from the definition's folder, a folder, or a link.</summary>
public sealed record FileDefinition
{
    public required string Path { get; init; }
    public string? Content { get; init; }

    /// <summary>Below the definition's folder.</summary>
    public string? From { get; init; }

    public string? LinkTo { get; init; }
    public required UnixFileMode Mode { get; init; }

    /// <summary>A user of the image; root when absent.</summary>
    public string? Owner { get; init; }
}

/// <summary>A package of the npm registry, laid down as published: no install script runs, and nothing else is fetched with it.</summary>
public sealed record NpmDefinition
{
    public required string Package { get; init; }
    public required string Version { get; init; }

    /// <summary>Subresource integrity of the tarball.</summary>
    public required string Integrity { get; init; }

    /// <summary>The folder of the image that gets the package's content.</summary>
    public required string To { get; init; }

    /// <summary>Links to make, and the files below <see cref="To"/> that they lead to, which become executable.</summary>
    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>();

    /// <summary>The agent that it is, when it is one.</summary>
    public string? Agent { get; init; }
}

/// <summary>A folder of the machine that builds, taken with the digest of each of its files. A build on a machine that lacks it is refused.</summary>
public sealed record HostFolderDefinition
{
    /// <summary>The first that exists is taken.</summary>
    public required IReadOnlyList<string> From { get; init; }

    public required string To { get; init; }

    /// <summary>Links to make, and the files below <see cref="To"/> that they lead to.</summary>
    public IReadOnlyDictionary<string, string> Links { get; init; } = new Dictionary<string, string>();

    /// <summary>Names directly below the folder that are left behind.</summary>
    public IReadOnlyList<string> Without { get; init; } = [];
}
