namespace Gjoll.Images;

/// <summary>An image in the store, ready to boot.</summary>
public sealed record Image(string Folder, string Digest, ImageManifest Manifest)
{
    public string Kernel => Path.Combine(Folder, ImageManifest.KernelFile);
    public string Initrd => Path.Combine(Folder, ImageManifest.InitrdFile);

    /// <summary>The file system to lay an overlay on. It is never written to.</summary>
    public string Disk => Path.Combine(Folder, ImageManifest.DiskFile);

    public ImageReference Reference => new(Manifest.Name, Manifest.Variant, Digest);
}
