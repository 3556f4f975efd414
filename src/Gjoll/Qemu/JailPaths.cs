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

    /// <summary>The template's memory, which QEMU opens for writing and cannot write.</summary>
    public static string TemplateMemory { get; } = FormattableString.Invariant($"/proc/self/fd/{Hosts.Jail.HandedOver}");

    public const string Memory = Own + "/" + MachineFolder.Memory;
    public const string TemplateDisk = Template + "/" + MachineFolder.Disk;
    public const string Overlay = Own + "/disk.qcow2";
    public const string Link = Own + "/" + MachineFolder.LinkSocket;
    public const string State = Own + "/" + MachineFolder.StateSocket;
    public const string Monitor = Own + "/" + MachineFolder.MonitorSocket;
    public const string Key = Own + "/" + MachineFolder.KeyFile;
    public const string Kernel = Image + "/vmlinux";
    public const string Initrd = Image + "/initrd";
    public const string BaseDisk = Image + "/disk";

    public static string ReadOnlyDisk(int index) => FormattableString.Invariant($"/ro/{index}");
}
