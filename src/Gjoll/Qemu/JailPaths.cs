namespace Gjoll.Qemu;

/// <summary>What QEMU sees of the host, besides the system's programs.</summary>
internal static class JailPaths
{
    /// <summary>The machine's own folder, the only one that it may write.</summary>
    public const string Own = "/m";

    /// <summary>Kernel, initrd and base disk, read-only.</summary>
    public const string Image = "/i";

    /// <summary>The template it was cloned from, read-only.</summary>
    public const string Template = "/t";

    public const string Overlay = Own + "/disk.qcow2";
    public const string Link = Own + "/" + MachineFolder.LinkSocket;
    public const string Monitor = Own + "/" + MachineFolder.MonitorSocket;
    public const string Key = Own + "/" + MachineFolder.KeyFile;
    public const string Kernel = Image + "/vmlinux";
    public const string Initrd = Image + "/initrd";
    public const string BaseDisk = Image + "/disk";

    public static string ReadOnlyDisk(int index) => FormattableString.Invariant($"/ro/{index}");
}
