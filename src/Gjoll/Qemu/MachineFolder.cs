namespace Gjoll.Qemu;

/// <summary>The names in a machine's own folder, which its QEMU may write and the host therefore reads only through sockets.</summary>
internal static class MachineFolder
{
    public const string Disk = "disk.qcow2";
    public const string Memory = "memory";
    public const string MonitorSocket = "monitor.sock";
    public const string LinkSocket = "link.sock";
    public const string StateSocket = "state.sock";
    public const string KeyFile = "key";
}
