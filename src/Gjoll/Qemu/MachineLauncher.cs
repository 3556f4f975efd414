using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>Where the pieces of one machine lie on the host.</summary>
internal sealed record MachineParts
{
    public required string Marker { get; init; }
    public required IReadOnlyList<string> Cgroups { get; init; }
    public required uint UserId { get; init; }
    public required bool DropUser { get; init; }

    /// <summary>The folder that QEMU may write.</summary>
    public required string Own { get; init; }

    public required string ArgumentsFile { get; init; }
    public required string Stage { get; init; }
    public required BootImage Image { get; init; }

    /// <summary>The template that its disk and memory lie over; null for none.</summary>
    public string? Template { get; init; }

    /// <summary>The sealed memory of the template, as a path of the host; needed when the plan's memory is <see cref="JailPaths.TemplateMemory"/>.</summary>
    public string? TemplateMemory { get; init; }

    /// <summary>Host files behind <see cref="MachinePlan.ReadOnlyDisks"/>.</summary>
    public IReadOnlyList<string> ReadOnlyDisks { get; init; } = [];
}

/// <summary>
/// Starts a QEMU in its jail: a user, mount, network, IPC, PID and UTS namespace of its own, no capability, a filter on its system calls, the system's
/// programs and its image to read, one folder to write. It lives on when this process ends.
/// </summary>
internal sealed class MachineLauncher(QemuOptions options, TimeProvider time)
{
    private const string KvmDevice = "/dev/kvm";

    private static readonly TimeSpan MonitorPoll = TimeSpan.FromMilliseconds(3);
    private static readonly string[] SystemLinks = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    /// <summary>Returns when its monitor answers. The caller has recorded that a start is under way.</summary>
    /// <param name="parts">Where its pieces lie.</param>
    /// <param name="plan">What it is.</param>
    /// <param name="started">Called with the process as soon as there is one, before it is known to be of use.</param>
    /// <param name="cancellationToken">Ends the wait and leaves the process to the caller.</param>
    public async Task<Monitor> StartAsync(MachineParts parts, MachinePlan plan, Action<ProcessIdentity> started, CancellationToken cancellationToken)
    {
        foreach (var socket in (string[])[MachineFolder.MonitorSocket, MachineFolder.LinkSocket, MachineFolder.StateSocket])
        {
            File.Delete(Path.Combine(parts.Own, socket));
        }

        var mounts = Mounts(parts, plan);
        await using var jail = await Jail.StartAsync(
            new JailPlan
            {
                Marker = parts.Marker,
                Cgroups = parts.Cgroups,
                UserId = parts.UserId,
                DropUser = parts.DropUser,
                ArgumentsFile = parts.ArgumentsFile,
                Stage = parts.Stage,
                Mounts = mounts,
                HandOver = parts.TemplateMemory,
                Walls = Walls(parts, plan, mounts),
                Command = ["/usr/bin/" + options.Program, .. MachineArguments.For(plan)],
            },
            cancellationToken);
        started(jail.Process);
        while (ProcessTable.IsAlive(jail.Process))
        {
            if (Path.Exists(Path.Combine(parts.Own, MachineFolder.MonitorSocket)))
            {
                try
                {
                    return await Monitor.ConnectAsync(parts.Own, cancellationToken);
                }
                catch (GjollException early) when (early.IsTransient)
                {
                    // The socket is there before somebody listens on it, and stays when QEMU gives up: what it is, the process tells.
                }
            }

            await Task.Delay(MonitorPoll, time, cancellationToken);
        }

        throw new GjollException($"QEMU did not start machine {plan.Name}: {jail.Complaints}");
    }

    private static MountPlan Mounts(MachineParts parts, MachinePlan plan)
    {
        var mounts = new MountPlan(parts.DropUser);
        mounts.Add("folder", "own", parts.Own);
        mounts.Add("file", "kernel", Path.Combine(parts.Image.Folder, parts.Image.Kernel));
        mounts.Add("file", "initrd", Path.Combine(parts.Image.Folder, parts.Image.Initrd));
        mounts.Add("file", "disk", Path.Combine(parts.Image.Folder, parts.Image.Disk));
        if (parts.Template is { } template)
        {
            mounts.Add("folder", "template", template);
        }

        for (var index = 0; index < parts.ReadOnlyDisks.Count; index++)
        {
            mounts.Add("file", ReadOnlyPlace(index), parts.ReadOnlyDisks[index]);
        }

        if (plan.Accelerator == Accelerator.Kvm)
        {
            mounts.Add("device", "kvm", KvmDevice);
        }

        return mounts;
    }

    private static IReadOnlyList<string> Walls(MachineParts parts, MachinePlan plan, MountPlan mounts)
    {
        List<string> walls =
        [
            "--unshare-user", "--unshare-pid", "--as-pid-1", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns",
            "--hostname", "machine", "--new-session", "--clearenv", "--setenv", "PATH", "/usr/bin", "--ro-bind", "/usr", "/usr",
        ];
        foreach (var link in SystemLinks)
        {
            if (new FileInfo(link).LinkTarget is { } target)
            {
                walls.AddRange(["--symlink", target, link]);
            }
            else if (Directory.Exists(link))
            {
                walls.AddRange(["--ro-bind", link, link]);
            }
        }

        walls.AddRange(["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--bind", mounts.Source("own"), JailPaths.Own]);
        walls.AddRange(["--ro-bind", mounts.Source("kernel"), JailPaths.Kernel, "--ro-bind", mounts.Source("initrd"), JailPaths.Initrd, "--ro-bind", mounts.Source("disk"), JailPaths.BaseDisk]);
        if (parts.Template is not null)
        {
            walls.AddRange(["--ro-bind", mounts.Source("template"), JailPaths.Template]);
        }

        for (var index = 0; index < parts.ReadOnlyDisks.Count; index++)
        {
            walls.AddRange(["--ro-bind", mounts.Source(ReadOnlyPlace(index)), JailPaths.ReadOnlyDisk(index)]);
        }

        if (plan.Accelerator == Accelerator.Kvm)
        {
            walls.AddRange(["--dev-bind", mounts.Source("kvm"), KvmDevice]);
        }

        walls.AddRange(["--remount-ro", "/", "--chdir", JailPaths.Own, "--info-fd", "9"]);
        return walls;
    }

    private static string ReadOnlyPlace(int index) => FormattableString.Invariant($"ro{index}");
}
