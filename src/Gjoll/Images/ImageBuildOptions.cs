namespace Gjoll.Images;

public sealed record ImageBuildOptions
{
    /// <summary>The folder with the definition, or the definition itself.</summary>
    public required string Definition { get; init; }

    public required string Variant { get; init; }

    /// <summary>The guest agent: a static program for the image's architecture.</summary>
    public required string GuestProgram { get; init; }

    /// <summary>The image store.</summary>
    public required string StoreFolder { get; init; }

    /// <summary>Downloads, layers and logs. It may be deleted at any time; the next build is slower.</summary>
    public required string CacheFolder { get; init; }

    /// <summary>A file with apt's sources (<c>.list</c> or <c>.sources</c>); null takes those of this machine.</summary>
    public string? SourcesFile { get; init; }

    /// <summary>Asks Debian for the packages it has now instead of using those of an earlier build.</summary>
    public bool Refresh { get; init; }
}

/// <summary>What a build is doing.</summary>
public enum ImageBuildStage
{
    Checking,
    Packages,
    Npm,
    HostFolders,
    Kernel,
    Tree,
    Tests,
    Disk,
    Storing,
}

public sealed record ImageBuildProgress(ImageBuildStage Stage, string Text);

/// <param name="Made">The stages whose results were made now; those of the others were there from earlier builds.</param>
/// <param name="Log">What the programs of the build wrote.</param>
public sealed record ImageBuildResult(Image Image, IReadOnlyList<ImageBuildStage> Made, string Log);
