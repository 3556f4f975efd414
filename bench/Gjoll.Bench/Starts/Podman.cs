using Gjoll.Hosts;

namespace Gjoll.Bench.Starts;

/// <summary>A container of one static program, with storage of its own, made as cheap as podman makes it: no network, no cgroup, no log.</summary>
internal sealed class Podman
{
    // What podman mounts and forgets goes away with a mount namespace of its own. There it may also see the new kind of cgroups alone, where a kernel has
    // both, which crun refuses.
    private const string OwnMounts = "exec \"$@\"";
    private const string NewCgroupsOnly = "umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec \"$@\"";

    private readonly IReadOnlyList<string> _command;

    private Podman(IReadOnlyList<string> command) => _command = command;

    /// <summary>One that works here, or why none does.</summary>
    public static async Task<(Podman? Podman, string? Reason)> MakeAsync(string folder, CancellationToken cancellationToken)
    {
        if (!HostProcess.IsInstalled("podman"))
        {
            return (null, "podman is not installed");
        }

        var root = Directory.CreateDirectory(Path.Combine(folder, "container")).FullName;
        await Repository.CompileAsync("true.c", Path.Combine(root, "true"), cancellationToken);
        string[] command =
        [
            "podman", "--root", Path.Combine(folder, "podman"), "--runroot", Path.Combine(folder, "podman-run"), "run", "--rm", "--network", "none", "--cgroups", "disabled",
            // Podman raises limits as root, which a root without CAP_SYS_RESOURCE may not.
            "--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024", "--log-driver", "none", "--rootfs", root, "/true",
        ];
        var reason = "";
        foreach (var way in Native.IsRoot ? [Alone(OwnMounts, command), Alone(NewCgroupsOnly, command)] : (IReadOnlyList<string>[])[command])
        {
            try
            {
                var podman = new Podman(way);
                await podman.RunAsync(cancellationToken);
                return (podman, null);
            }
            catch (GjollException failure)
            {
                reason = failure.Message.ReplaceLineEndings(" ");
            }
        }

        return (null, reason);
    }

    public Task RunAsync(CancellationToken cancellationToken) => HostProcess.RunAsync(_command, cancellationToken);

    private static string[] Alone(string script, string[] command) => ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", script, "podman", .. command];
}
