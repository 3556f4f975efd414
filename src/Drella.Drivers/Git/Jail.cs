using System.Globalization;

namespace Drella.Drivers.Git;

/// <summary>
/// Where Git meets hostile objects: no network, no files but its own libraries, the store's objects (read only) and a scratch
/// folder, under limits of memory, time and file size. A daemon that runs as root drops to nobody inside.
/// </summary>
internal sealed class Jail(bool hasNamespaces)
{
    public const string ScratchInside = "/scratch";
    public const string StoreInside = "/store";
    private const string Nobody = "65534";

    public bool HasNamespaces { get; } = hasNamespaces;

    private static bool IsRoot => Environment.IsPrivilegedProcess;

    /// <summary>True when this machine lets us make namespaces.</summary>
    public static bool Exists => File.Exists("/usr/bin/bwrap") || File.Exists("/usr/local/bin/bwrap");

    /// <summary>The scratch folder as the jailed Git names it.</summary>
    public string Scratch(string outside) => HasNamespaces ? ScratchInside : outside;

    /// <summary>The store's objects as the jailed Git names them.</summary>
    public string StoreObjects(string outside) => HasNamespaces ? StoreInside : outside;

    /// <summary>Lets the user that the jailed Git runs as write in the scratch folder. Its parent is closed to everybody but the daemon.</summary>
    public void HandOver(string scratch)
    {
        if (!HasNamespaces || !IsRoot)
        {
            return;
        }

        const UnixFileMode Everybody = (UnixFileMode)0b111_111_111;
        foreach (var folder in Directory.EnumerateDirectories(scratch, "*", SearchOption.AllDirectories).Prepend(scratch))
        {
            PrivateFolder.SetMode(folder, Everybody);
        }
    }

    /// <summary>What to put before <c>git</c>.</summary>
    public IReadOnlyList<string> Wrapper(string scratch, string storeObjects, QuarantineOptions options)
    {
        List<string> line =
        [
            "prlimit",
            $"--as={options.JailMemoryBytes.ToString(CultureInfo.InvariantCulture)}",
            $"--cpu={((long)options.IngestTimeout.TotalSeconds + 1).ToString(CultureInfo.InvariantCulture)}",
            $"--fsize={(options.MaxBundleBytes * 2).ToString(CultureInfo.InvariantCulture)}",
            "--nofile=256",
            "--core=0",
            "--",
        ];
        if (!HasNamespaces)
        {
            return line;
        }

        line.AddRange(
        [
            "bwrap", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--unshare-cgroup-try", "--die-with-parent", "--new-session",
            "--ro-bind", "/usr", "/usr",
        ]);
        foreach (var folder in new[] { "/bin", "/lib", "/lib32", "/lib64" })
        {
            line.AddRange(new FileInfo(folder).LinkTarget is { } target ? ["--symlink", target, folder] : ["--ro-bind-try", folder, folder]);
        }

        line.AddRange(
        [
            "--ro-bind-try", "/etc/ld.so.cache", "/etc/ld.so.cache", "--dev", "/dev", "--tmpfs", "/tmp",
            "--ro-bind", storeObjects, StoreInside, "--bind", scratch, ScratchInside, "--chdir", "/",
        ]);
        line.AddRange(IsRoot
            ?
            [
                "--cap-drop", "ALL", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID", "--cap-add", "CAP_SETPCAP", "--",
                "setpriv", "--reuid", Nobody, "--regid", Nobody, "--clear-groups", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--",
            ]
            : ["--unshare-user", "--cap-drop", "ALL", "--"]);
        return line;
    }
}
