using System.Diagnostics;
using Gjoll.Bench.Machines;
using Gjoll.Hosts;
using Gjoll.Images;
using Gjoll.Qemu;

namespace Gjoll.Bench.Starts;

/// <summary>
/// The image's kernel on the same machine, in no jail, with a RAM disk that holds one static program: what QEMU and the kernel take by themselves. Its
/// console is a pipe, where a machine of ours has a buffer; all other devices are the same.
/// </summary>
internal sealed class BareKernel
{
    private readonly IReadOnlyList<string> _command;
    private readonly string _folder;

    private BareKernel(string folder, IReadOnlyList<string> command) => (_folder, _command) = (folder, command);

    public static async Task<BareKernel> MakeAsync(MachineRig rig, string folder, CancellationToken cancellationToken)
    {
        var own = Directory.CreateDirectory(Path.Combine(folder, "k")).FullName;
        var init = Path.Combine(own, "init");
        await Repository.CompileAsync("init.c", init, cancellationToken);
        var archive = new CpioArchive(DateTimeOffset.UnixEpoch);
        archive.AddFile("init", await File.ReadAllBytesAsync(init, cancellationToken), executable: true);
        await File.WriteAllBytesAsync(Path.Combine(own, "initrd"), archive.Finish(), cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(own, "key"), new byte[Wire.Handshake.KeySize], cancellationToken);
        await Disks.MakeLayerAsync(Path.Combine(own, "disk.qcow2"), rig.BootImage.Disk, belowIsRaw: true, MachineRig.Limits.DiskBytes, cancellationToken);
        var plan = new MachinePlan
        {
            Name = "bare", Accelerator = rig.Accelerator, Cpus = (int)MachineRig.Limits.Cpus, MemoryBytes = MachineRig.Limits.MemoryBytes, KernelArguments = rig.BootImage.Manifest.CommandLine,
        };
        return new BareKernel(own, ["qemu-system-x86_64", .. MachineArguments.For(plan).Select(argument => Outside(argument, rig.BootImage, own))]);
    }

    /// <summary>Milliseconds from QEMU's start to the program's word.</summary>
    public async Task<double> BootAsync(CancellationToken cancellationToken)
    {
        foreach (var socket in Directory.EnumerateFiles(_folder, "*.sock"))
        {
            File.Delete(socket);
        }

        var since = new Since();
        var qemu = HostProcess.Start(_command, new Dictionary<string, string>());
        try
        {
            return await WaitAsync(qemu, since, cancellationToken);
        }
        finally
        {
            qemu.Kill();
            await qemu.WaitForExitAsync(CancellationToken.None);
            HostProcess.Release(qemu);
        }
    }

    private static async Task<double> WaitAsync(Process qemu, Since since, CancellationToken cancellationToken)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        bounded.CancelAfter(TimeSpan.FromMinutes(2));
        while (await qemu.StandardOutput.ReadLineAsync(bounded.Token) is { } line)
        {
            if (line.Contains("first-command", StringComparison.Ordinal))
            {
                return since.Milliseconds;
            }
        }

        throw new GjollException($"QEMU ended: {await qemu.StandardError.ReadToEndAsync(bounded.Token)}");
    }

    private static string Outside(string argument, Image image, string own) =>
        argument.StartsWith("ringbuf,", StringComparison.Ordinal)
            ? "stdio,id=console,signal=off"
            : argument.Replace(JailPaths.Kernel, image.Kernel, StringComparison.Ordinal)
                .Replace(JailPaths.Initrd, Path.Combine(own, "initrd"), StringComparison.Ordinal)
                .Replace(JailPaths.Own + "/", own + "/", StringComparison.Ordinal);
}
