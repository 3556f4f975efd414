namespace Gjoll.Qemu;

/// <summary>What a machine needs to know of its image.</summary>
/// <param name="Digest">Of the manifest: the image's identity.</param>
/// <param name="Folder">Holds the files.</param>
/// <param name="Kernel">File name of the uncompressed kernel.</param>
/// <param name="Initrd">File name of what the kernel starts.</param>
/// <param name="Disk">File name of the base disk, raw.</param>
/// <param name="KernelArguments">The kernel's command line.</param>
/// <param name="WarmUp">Programs to run once before a template is saved, so that their pages are in its memory.</param>
internal sealed record BootImage(
    string Digest, string Folder, string Kernel, string Initrd, string Disk, string KernelArguments, IReadOnlyList<IReadOnlyList<string>> WarmUp);
