using System.Globalization;

namespace Gjoll.Qemu;

/// <summary>
/// A machine as QEMU's arguments: a kernel started directly, one disk, one serial bus, no network card, no firmware menu, no USB, no graphics.
/// </summary>
internal static class MachineArguments
{
    /// <summary>Goes up with every change of the devices: saved states of another revision are not loaded.</summary>
    public const int Revision = 2;

    /// <summary>Kept in QEMU's memory and read through the monitor; a guest that floods its console overwrites its own words.</summary>
    public const int ConsoleBytes = 64 * 1024;

    public static IReadOnlyList<string> For(MachinePlan plan)
    {
        var memory = (plan.MemoryBytes >> 20).ToString(CultureInfo.InvariantCulture) + "M";
        List<string> arguments =
        [
            "-name", plan.Name, "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
            // No process may be started, no privilege gained and no scheduling changed by a QEMU that the guest has taken over.
            "-sandbox", "on,obsolete=deny,elevateprivileges=deny,spawn=deny,resourcecontrol=deny",
            "-M", "q35,usb=off,vmport=off,smbus=off,sata=off,memory-backend=ram0",
            "-m", memory,
            "-smp", plan.Cpus.ToString(CultureInfo.InvariantCulture),
        ];
        arguments.AddRange(plan.Accelerator switch
        {
            Accelerator.Kvm => ["-accel", "kvm", "-cpu", "host"],
            _ => ["-accel", "tcg,thread=multi,tb-size=512", "-cpu", "max"],
        });
        arguments.AddRange(
        [
            // Under one name wherever it lies: a saved state knows its memory by it.
            "-object", plan.Memory is { } file
                ? $"memory-backend-file,id=ram0,size={memory},mem-path={file.Path},share={(file.IsShared ? "on" : "off")}"
                : $"memory-backend-ram,id=ram0,size={memory}",
            "-kernel", JailPaths.Kernel, "-initrd", JailPaths.Initrd,
            "-append", plan.KernelArguments,
            "-fw_cfg", "name=opt/gjoll/key,file=" + JailPaths.Key,
            "-chardev", FormattableString.Invariant($"ringbuf,id=console,size={ConsoleBytes}"), "-serial", "chardev:console",
            "-qmp", $"unix:{JailPaths.Monitor},server=on,wait=off",
            "-device", "virtio-serial-pci,max_ports=2",
            "-chardev", $"socket,id=link,path={JailPaths.Link},server=on,wait=off", "-device", "virtserialport,chardev=link,name=gjoll.0",
            // Reseeds the guest kernel when a state is loaded, before any program of the guest can draw a number twice.
            "-device", "vmgenid,guid=auto",
            "-blockdev", $"driver=file,node-name=file0,filename={JailPaths.Overlay},cache.direct=off,discard=unmap",
            "-blockdev", "driver=qcow2,node-name=disk0,file=file0,discard=unmap",
            "-device", "virtio-blk-pci,drive=disk0",
        ]);
        for (var index = 0; index < plan.ReadOnlyDisks; index++)
        {
            var name = "ro" + index.ToString(CultureInfo.InvariantCulture);
            arguments.AddRange(["-blockdev", $"driver=raw,node-name={name},read-only=on,file.driver=file,file.filename={JailPaths.ReadOnlyDisk(index)}", "-device", $"virtio-blk-pci,drive={name}"]);
        }

        if (plan.IsIncoming)
        {
            arguments.AddRange(["-incoming", "defer"]);
        }

        return arguments;
    }
}
