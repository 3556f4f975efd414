using Gjoll.Images;

namespace Gjoll.Qemu;

/// <summary>Images as machines need them. Every opening checks them again.</summary>
internal sealed class BootImages(ImageStore store)
{
    /// <summary>The digest reference that a name stands for now.</summary>
    public async Task<string> ResolveAsync(string reference, CancellationToken cancellationToken) => (await store.OpenAsync(reference, cancellationToken)).Reference.ToString();

    /// <summary>Whether it is still there.</summary>
    public bool Has(string digest) => store.HasDigest(digest);

    /// <exception cref="GjollException">It is not there, of another architecture, or not what was built.</exception>
    public async Task<BootImage> OpenAsync(string reference, CancellationToken cancellationToken)
    {
        var image = await store.OpenAsync(reference, cancellationToken);
        return new BootImage(
            image.Digest, image.Folder, ImageManifest.KernelFile, ImageManifest.InitrdFile, ImageManifest.DiskFile, image.Manifest.CommandLine,
            [.. image.Manifest.Warm.Select(command => (IReadOnlyList<string>)["/bin/sh", "-c", command])]);
    }
}
