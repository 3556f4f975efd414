using Gjoll.Hosts;
using System.Globalization;
using Gjoll.Channel;

namespace Gjoll.Bubblewrap;

/// <summary>The walls of a sandbox, as arguments of bubblewrap.</summary>
internal static class BwrapArguments
{
    private const long SmallTmpfs = 4L << 20;

    private static readonly string[] SystemLinks = ["/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32"];

    public static IReadOnlyList<string> For(SandboxRecord record, string marker, MountPlan mounts, WritableLayer layer)
    {
        var spec = record.Spec;
        var scratch = Math.Max(SmallTmpfs, Math.Min(spec.Limits.DiskBytes, spec.Limits.MemoryBytes / 2));
        var user = Text(GuestPaths.UserId);
        List<string> arguments =
        [
            "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--disable-userns",
            "--uid", user, "--gid", user, "--hostname", spec.Hostname, "--new-session", "--clearenv", "--setenv", "PATH", "/usr/local/bin:/usr/bin:/bin",
            // The agent is process 1: nothing in the guest can kill it, and the kernel ends all with it. It carries the mark, and gives it to nobody.
            "--as-pid-1", "--setenv", Marking.Variable, marker,
            "--ro-bind", "/usr", "/usr",
        ];

        foreach (var link in SystemLinks)
        {
            // On a host with a merged /usr these are links into it; elsewhere they are folders of their own.
            if (new FileInfo(link).LinkTarget is { } target)
            {
                arguments.AddRange(["--symlink", target, link]);
            }
            else if (Directory.Exists(link))
            {
                arguments.AddRange(["--ro-bind", link, link]);
            }
        }

        arguments.AddRange(["--ro-bind", mounts.Source("etc"), "/etc"]);
        foreach (var source in EtcFolder.FromHost.Where(Path.Exists))
        {
            arguments.AddRange(["--ro-bind", source, source]);
        }

        arguments.AddRange(["--proc", "/proc", "--dev", "/dev", "--perms", "1777", "--size", Text(scratch), "--tmpfs", "/dev/shm", "--remount-ro", "/dev"]);
        arguments.AddRange(["--perms", "1777", "--size", Text(scratch), "--tmpfs", "/tmp", "--dir", "/var", "--symlink", "../tmp", "/var/tmp"]);
        arguments.AddRange(["--perms", "0755", "--size", Text(SmallTmpfs), "--tmpfs", "/run", "--ro-bind", mounts.Source("link"), GuestPaths.Endpoints]);
        arguments.AddRange(["--perms", "0755", "--dir", "/home", "--bind", layer.Source("home"), GuestPaths.Home, "--bind", layer.Source("work"), GuestPaths.Workspace]);
        foreach (var (folder, index) in spec.ReadOnlyFolders.Select((folder, index) => (folder, index)))
        {
            arguments.AddRange(["--ro-bind", mounts.Source("ro" + Text(index)), folder.GuestPath]);
        }

        arguments.AddRange(["--perms", "0755", "--dir", "/opt", "--perms", "0755", "--dir", "/opt/.gjoll", "--ro-bind", mounts.Source("agent"), GuestPaths.Agent]);
        if (CallFilter.ForThisMachine() is not null)
        {
            arguments.AddRange(["--seccomp", "6"]);
        }

        arguments.AddRange(["--remount-ro", "/", "--chdir", "/", "--info-fd", "9"]);
        return arguments;
    }

    /// <summary>The guest's first program, with what comes before it on bubblewrap's own command line.</summary>
    public static IReadOnlyList<string> Command(SandboxRecord record, bool limitProcesses)
    {
        List<string> command = ["--"];
        if (limitProcesses)
        {
            command.AddRange(["/usr/bin/prlimit", "--nproc=" + Text(record.Spec.Limits.MaxProcesses), "--"]);
        }

        command.AddRange([GuestPaths.Agent, "serve", "--connect", $"{GuestPaths.Endpoints}/{GuestPaths.LinkSocket}", "--key", $"{GuestPaths.Endpoints}/{GuestPaths.Key}"]);
        return command;
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
