using System.Text;
using Gjoll.Guest.Kernel;
using Gjoll.Guest.Links;
using Gjoll.Guest.Programs;
using Gjoll.Wire;

namespace Gjoll.Guest.Machine;

/// <summary>
/// Process 1 of a virtual machine: from the kernel's first breath to the service. It runs from the initial file system, which holds nothing but it, the
/// kernel modules that the disk and the link need, and perhaps a key.
/// </summary>
internal sealed unsafe class Boot
{
    private const string NewRoot = "/newroot";
    private const string Cgroups = "/sys/fs/cgroup/gjoll";
    private const int WaitMilliseconds = 60_000;
    private const int LookAgain = 2;

    private readonly string[] _words;
    private readonly Log _log;

    private Boot(string[] words, Log log) => (_words, _log) = (words, log);

    /// <summary>Never returns: when process 1 ends, so does the machine.</summary>
    public static int Run()
    {
        Mount("devtmpfs", "/dev", "devtmpfs", Libc.MS_NOSUID, "mode=0755");
        StandardDescriptors.Open();
        var log = new Log(Descriptors.TryOpen("/dev/kmsg", Libc.O_WRONLY) is > 2 and var kernel ? kernel : 2, "<3>");
        try
        {
            Mount("proc", "/proc", "proc", Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC);
            Mount("sysfs", "/sys", "sysfs", Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC);
            var words = Encoding.UTF8.GetString(Descriptors.TryReadFile("/proc/cmdline") ?? []).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            new Boot(words, log).Serve();
        }
#pragma warning disable CA1031 // The edge of process 1: an exception that left it would end the machine without a word.
        catch (Exception failed)
#pragma warning restore CA1031
        {
            log.Write($"the machine ends: {failed}");
        }

        PowerOff();
        return 1;
    }

    private static void PowerOff()
    {
        const int Off = 0x4321_fedc;
        const int Restart = 0x0123_4567;
        Libc.sync();
        fixed (byte* root = Utf8.Zero("/"))
        {
            _ = Libc.mount(null, root, null, Libc.MS_REMOUNT | Libc.MS_RDONLY, null);
        }

        _ = Libc.reboot(Off);

        // A machine without a switch; its emulator ends when it starts again.
        _ = Libc.reboot(Restart);
    }

    private void Serve()
    {
        LoadModules();
        var key = FindKey();
        var disk = Word("gjoll.disk", "/dev/vda");
        WaitFor(() => Exists(disk), disk);
        MakeFolder(NewRoot, 0x1ed);
        Mount(disk, NewRoot, Word("gjoll.filesystem", "ext4"), Libc.MS_NOATIME);
        RemoveInitial();
        SwitchRoot();
        MountRest();
        StartLoopback();
        var files = new ResourceLimit { Soft = 1024, Hard = 524_288 };
        _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, &files);
        SignalMask.Block();
        var port = FindPort(Word("gjoll.port", "gjoll.0"));
        Agent.Run(
            new LinkPlace.Device(port), key, Cgroups, _log,
            (loop, programs) => new VirtualMachine(new Ending(loop, programs, loop.Stop), disk));
    }

    private string Word(string name, string otherwise) =>
        _words.FirstOrDefault(word => word.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..] ?? otherwise;

    /// <summary>In the order of a list, since nothing here knows what depends on what. One that the machine has no use for may fail.</summary>
    private void LoadModules()
    {
        const long FinitModule = 313;
        var list = Encoding.UTF8.GetString(Descriptors.TryReadFile("/modules/order") ?? []);
        foreach (var name in list.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var module = Descriptors.TryOpen($"/modules/{name}", Libc.O_RDONLY);
            byte none = 0;
            if (module < 0 || (Libc.syscall(FinitModule, module, (nint)(&none), 0, 0) != 0 && Errno.Last != Errno.EEXIST))
            {
                _log.Write($"the module {name} could not be loaded: {Errno.Words(Errno.Last)}");
            }

            Descriptors.Close(ref module);
        }
    }

    private static byte[] FindKey() =>
        KeyFile.Read("/sys/firmware/qemu_fw_cfg/by_name/opt/gjoll/key/raw") ?? KeyFile.Read("/etc/gjoll/key")
            ?? throw new SystemCallException("find the key of the sandbox", Errno.ENOENT);

    /// <summary>What is not needed any more only takes memory.</summary>
    private static void RemoveInitial()
    {
        foreach (var folder in (string[])["/modules", "/etc/gjoll"])
        {
            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }
        }
    }

    private static void SwitchRoot()
    {
        foreach (var name in (string[])["dev", "proc", "sys"])
        {
            MakeFolder($"{NewRoot}/{name}", 0x1ed);
            Mount($"/{name}", $"{NewRoot}/{name}", "", Libc.MS_MOVE);
        }

        ChangeFolder(NewRoot);
        Mount(NewRoot, "/", "", Libc.MS_MOVE);
        fixed (byte* here = "."u8)
        {
            if (Libc.chroot(here) != 0)
            {
                throw new SystemCallException("enter the disk", Errno.Last);
            }
        }

        ChangeFolder("/");
    }

    private static void MountRest()
    {
        MakeFolder("/dev/pts", 0x1ed);
        Mount("devpts", "/dev/pts", "devpts", Libc.MS_NOSUID | Libc.MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666");
        MountMemory("/dev/shm", "mode=1777", Libc.MS_NOSUID | Libc.MS_NODEV);
        MountMemory("/run", "mode=0755", Libc.MS_NOSUID | Libc.MS_NODEV);
        MountMemory("/tmp", "mode=1777", Libc.MS_NOSUID | Libc.MS_NODEV);
        MakeFolder("/run/lock", 0x3ff);
        MakeFolder("/run/gjoll", 0x1ed);
        foreach (var (name, target) in (ReadOnlySpan<(string, string)>)[("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"), ("stderr", "/proc/self/fd/2")])
        {
            if (!Path.Exists($"/dev/{name}"))
            {
                File.CreateSymbolicLink($"/dev/{name}", target);
            }
        }

        Mount("cgroup2", "/sys/fs/cgroup", "cgroup2", Libc.MS_NOSUID | Libc.MS_NODEV | Libc.MS_NOEXEC);
        MakeFolder(Cgroups, 0x1ed);
    }

    private static void MountMemory(string path, string options, uint flags)
    {
        MakeFolder(path, 0x1ed);
        Mount("tmpfs", path, "tmpfs", flags, options);
    }

    private static void StartLoopback()
    {
        // struct ifreq: name (16), flags (2).
        var request = stackalloc byte[40];
        new Span<byte>(request, 40).Clear();
        "lo"u8.CopyTo(new Span<byte>(request, 16));
        request[16] = 1;
        var any = Libc.socket(Libc.AF_INET, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        if (any < 0 || Libc.ioctl(any, Libc.SIOCSIFFLAGS, request) != 0)
        {
            throw new SystemCallException("start the loopback network", Errno.Last);
        }

        _ = Libc.close(any);
    }

    private static string FindPort(string name)
    {
        string? found = null;
        WaitFor(() => (found = Find()) is not null, $"the port {name}");
        return found!;

        string? Find()
        {
            const string Ports = "/sys/class/virtio-ports";
            if (!Directory.Exists(Ports))
            {
                return null;
            }

            var port = Directory.GetDirectories(Ports)
                .FirstOrDefault(folder => Encoding.UTF8.GetString(Descriptors.TryReadFile($"{folder}/name") ?? []).Trim() == name);
            return port is not null && Exists($"/dev/{Path.GetFileName(port)}") ? $"/dev/{Path.GetFileName(port)}" : null;
        }
    }

    private static void WaitFor(Func<bool> isThere, string what)
    {
        var until = Clock.Now + WaitMilliseconds;
        while (!isThere())
        {
            if (Clock.Now > until)
            {
                throw new SystemCallException($"wait for {what}", Errno.ENOENT);
            }

            _ = Libc.poll(null, 0, LookAgain);
        }
    }

    private static bool Exists(string path) => Path.Exists(path);

    private static void MakeFolder(string path, uint mode)
    {
        fixed (byte* bytes = Utf8.Zero(path))
        {
            if (Libc.mkdir(bytes, mode) != 0 && Errno.Last != Errno.EEXIST)
            {
                throw new SystemCallException($"make {path}", Errno.Last);
            }

            _ = Libc.chmod(bytes, mode);
        }
    }

    private static void ChangeFolder(string path)
    {
        fixed (byte* bytes = Utf8.Zero(path))
        {
            if (Libc.chdir(bytes) != 0)
            {
                throw new SystemCallException($"enter {path}", Errno.Last);
            }
        }
    }

    private static void Mount(string source, string target, string type, uint flags, string options = "")
    {
        fixed (byte* sourceBytes = Utf8.Zero(source), targetBytes = Utf8.Zero(target), typeBytes = Utf8.Zero(type), optionBytes = Utf8.Zero(options))
        {
            if ((flags & Libc.MS_MOVE) == 0)
            {
                // Fails where it is there already.
                _ = Libc.mkdir(targetBytes, 0x1ed);
            }

            if (Libc.mount(sourceBytes, targetBytes, typeBytes, flags, optionBytes) != 0 && Errno.Last != Errno.EBUSY)
            {
                throw new SystemCallException($"mount {target}", Errno.Last);
            }
        }
    }
}
