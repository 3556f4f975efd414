using System.Globalization;
using Gjoll.Channel;
using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>What this host can do, found out by doing it.</summary>
internal sealed class HostAbilities(BubblewrapOptions options, SandboxFolders folders, Cgroups cgroups)
{
    public const string ProbePrefix = "probe-";

    private static readonly (string Program, string Package)[] Needed =
    [
        ("bwrap", "bubblewrap"), ("setpriv", "util-linux"), ("unshare", "util-linux"), ("setsid", "util-linux"),
        ("prlimit", "util-linux"), ("tar", "tar"),
    ];

    private bool? _images;
    private int _probes;

    /// <summary>Asked once: mounts a small image in a mount namespace that is gone afterwards.</summary>
    public async Task<bool> CanMountImagesAsync(CancellationToken cancellationToken)
    {
        if (!options.UseDiskImages || !Native.IsRoot)
        {
            return false;
        }

        // Two callers at once may both try; they find the same.
        return _images ??= await TryImageAsync(cancellationToken);
    }

    public async Task<ProviderReport> ProbeAsync(CancellationToken cancellationToken)
    {
        var missing = Needed.Where(need => !IsInstalled(need.Program)).Select(need => need.Package).Distinct().ToList();
        if (missing.Count > 0)
        {
            return new ProviderReport(false, $"Programs of the packages {string.Join(", ", missing)} are missing.", $"apt install {string.Join(' ', missing)}", []);
        }

        try
        {
            var programs = new NativePrograms(options.NativeFolder);
            _ = (programs.Guest, programs.Warden);
        }
        catch (GjollException absent)
        {
            return new ProviderReport(false, absent.Message, "Run scripts/native.", []);
        }

        try
        {
            await HostProcess.RunAsync(
                ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--disable-userns", "--uid", "1000", "--gid", "1000",
                    "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--", "/usr/bin/true"],
                cancellationToken);
        }
        catch (GjollException failure)
        {
            return new ProviderReport(false, failure.Message, Remedy(), []);
        }

        return new ProviderReport(true, null, null, await NotContainedAsync(cancellationToken));
    }

    private async Task<IReadOnlyList<string>> NotContainedAsync(CancellationToken cancellationToken)
    {
        List<string> sentences =
        [
            "The guest shares the host's kernel: a flaw in it is a way out. The filter on system calls closes only what namespaces do not.",
            "The guest can read the host's /usr, and through /proc the kernel's version, the load and the size of the machine.",
        ];
        if (!Native.IsRoot)
        {
            sentences.Add("The guest runs as the user of the host process, since only root can give it another one: a flaw in bubblewrap reaches that user's files.");
        }

        if (CallFilter.ForThisMachine() is null)
        {
            sentences.Add("Sockets to the hypervisor (vsock) are open to the guest: there is no filter on system calls for this architecture.");
        }

        if (!cgroups.LimitsMemory)
        {
            sentences.Add("Memory is not limited: no memory cgroup can be made here. The kernel ends the guest's programs first when the host runs out.");
        }

        if (!cgroups.LimitsCpu)
        {
            sentences.Add("Processor time is not limited: no cpu cgroup can be made here.");
        }

        if (!cgroups.LimitsProcesses)
        {
            sentences.Add("The number of processes is limited by a resource limit only: no pids cgroup can be made here.");
        }

        if (!await CanMountImagesAsync(cancellationToken))
        {
            sentences.Add("The disk is measured, not bounded: a guest may exceed its limit until the next look, and is then stopped. One file cannot exceed it.");
        }

        return sentences;
    }

    private async Task<bool> TryImageAsync(CancellationToken cancellationToken)
    {
        var folder = Path.Combine(folders.Root, string.Create(CultureInfo.InvariantCulture, $"{ProbePrefix}{Environment.ProcessId}-{Interlocked.Increment(ref _probes)}"));
        Directory.CreateDirectory(folder, Modes.Owner);
        try
        {
            var image = Path.Combine(folder, "disk.img");
            await HostProcess.RunAsync(["truncate", "--size", "4M", image], cancellationToken);
            await HostProcess.RunAsync(["mkfs.ext4", "-q", "-F", "-O", "^has_journal", image], cancellationToken);
            await HostProcess.RunAsync(
                ["unshare", "--mount", "--propagation", "private", "--", "mount", "-t", "ext4", "-o", "loop,nosuid,nodev", image, "/mnt"], cancellationToken);
            return true;
        }
        catch (GjollException)
        {
            return false;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static bool IsInstalled(string program) => HostProcess.Path.Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    private static string Remedy()
    {
        if (Reads("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1"))
        {
            return "AppArmor keeps users from making user namespaces here: install an AppArmor profile for bwrap (package apparmor-profiles, file bwrap-userns-restrict), "
                + "or set kernel.apparmor_restrict_unprivileged_userns=0.";
        }

        if (Reads("/proc/sys/kernel/unprivileged_userns_clone", "0"))
        {
            return "Users may not make user namespaces here: set kernel.unprivileged_userns_clone=1.";
        }

        return Reads("/proc/sys/user/max_user_namespaces", "0")
            ? "User namespaces are switched off here: set user.max_user_namespaces to more than 0."
            : "In a container, allow it user namespaces and an unmasked /proc; or choose another sandbox provider.";
    }

    private static bool Reads(string file, string value) => File.Exists(file) && File.ReadAllText(file).Trim() == value;
}
