namespace Gjoll.Images;

/// <summary>What an image is: the content of its <c>manifest.json</c>, whose SHA-256 is the image's digest. See docs/formats/image.md.</summary>
public sealed record ImageManifest
{
    public const int CurrentFormat = 1;

    public const string FileName = "manifest.json";
    public const string KernelFile = "vmlinux";
    public const string InitrdFile = "initrd";
    public const string DiskFile = "disk.ext4";
    public const string SbomFile = "sbom.spdx.json";

    internal static IReadOnlyList<string> Required { get; } = [KernelFile, InitrdFile, DiskFile, SbomFile];

    public required int Format { get; init; }
    public required string Name { get; init; }
    public required string Variant { get; init; }
    public required string Architecture { get; init; }
    public required string Suite { get; init; }
    public required DateTimeOffset Timestamp { get; init; }
    public required string KernelRelease { get; init; }
    public required string CommandLine { get; init; }

    /// <summary>Every file of the image but this one, by name.</summary>
    public required SortedDictionary<string, ImageFile> Files { get; init; }

    /// <summary>SHA-256 of the guest agent that is the kernel's first program.</summary>
    public required string GuestSha256 { get; init; }

    /// <summary>SHA-256 over all that the image is made from. Two builds with the same one are the same image.</summary>
    public required string InputsSha256 { get; init; }

    public required IReadOnlyList<ImageAgent> Agents { get; init; }

    /// <summary>The users that programs run as; the first is the one for agents.</summary>
    public required IReadOnlyList<ImageUser> Users { get; init; }

    /// <summary>Commands that a template runs once before its snapshot is taken.</summary>
    public required IReadOnlyList<string> Warm { get; init; }
}

public sealed record ImageFile(long Size, string Sha256);

public sealed record ImageAgent(string Id, string Package, string Version);

public sealed record ImageUser(string Name, int Id);
