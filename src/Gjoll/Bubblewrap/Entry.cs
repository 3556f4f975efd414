using System.Diagnostics;
using System.Globalization;
using Gjoll.Channel;
using Gjoll.Hosts;
using Microsoft.Win32.SafeHandles;

namespace Gjoll.Bubblewrap;

/// <summary>The way a program of the host becomes a program of the guest: into its namespaces first, then without any capability.</summary>
internal static class Entry
{
    private static readonly string[] Namespaces = ["--user", "--mount", "--pid", "--net", "--ipc", "--uts", "--cgroup"];

    private static readonly Dictionary<string, string> BaseEnvironment = new(StringComparer.Ordinal)
    {
        ["HOME"] = GuestPaths.Home,
        ["USER"] = GuestPaths.UserName,
        ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
        ["LANG"] = "C.UTF-8",
    };

    /// <returns>The crossing process, and a descriptor that it needs while it crosses: the caller keeps it open until the process has ended.</returns>
    public static (Process Process, SafeFileHandle? Door) Start(ExecSpec spec, SandboxRecord record, RunRecord run, string marker, IReadOnlyList<string> cgroups, bool limitProcesses)
    {
        // Whose namespaces they are is looked at as late as possible: a number that was given to another process must not be entered.
        if (!ProcessTable.IsAlive(run.Init) || ProcessTable.PidNamespaceOf(run.Init.Id) != run.PidNamespace)
        {
            throw new GjollException($"Sandbox {record.Name} is not running.");
        }

        var environment = new Dictionary<string, string>(StringComparer.Ordinal)
        {
            [Marking.Variable] = marker,
            ["GJOLL_CGROUPS"] = string.Join('\n', cgroups),
            ["GJOLL_BLOCKS"] = WritableLayer.LargestFile(record),
            ["GJOLL_FOLDER"] = spec.WorkingFolder,
        };

        // Values travel under names of our own, so that none of them (LD_PRELOAD, PATH) can act on the programs that open the door, nor show in a
        // command line of the host; the last shell, already in the guest and without capabilities, gives them their names.
        var guest = new Dictionary<string, string>(BaseEnvironment, StringComparer.Ordinal);
        foreach (var (key, value) in spec.Environment)
        {
            guest[key] = value;
        }

        var variables = guest.Select((pair, index) => (Name: "GJOLL_E" + Text(index), Value: $"{pair.Key}={pair.Value}")).ToList();
        variables.ForEach(variable => environment[variable.Name] = variable.Value);
        var assignments = string.Join(' ', variables.Select(variable => $"\"${variable.Name}\""));

        List<string> inside = ["/usr/bin/setpriv", "--no-new-privs", "--"];
        if (limitProcesses)
        {
            inside.AddRange(["/usr/bin/prlimit", "--nproc=" + Text(record.Spec.Limits.MaxProcesses), "--"]);
        }

        inside.AddRange(["/bin/sh", "-c", Scripts.Run.Replace("{0}", assignments, StringComparison.Ordinal), "gjoll"]);
        if (spec.Command[0].Contains('=', StringComparison.Ordinal))
        {
            // env would take it for one more variable.
            inside.AddRange(["/usr/bin/setpriv", "--no-new-privs", "--"]);
        }

        inside.AddRange(spec.Command);

        var door = record.DropUser ? null : Native.OpenParentUserNamespace(run.Init.Id);
        List<string> command = ["/bin/sh", "-c", Scripts.Enter, "gjoll", .. Crossing(record, run, door), .. inside];
        return (HostProcess.Start(command, environment), door);
    }

    /// <summary>
    /// The guest lives in a user namespace within the one that owns its other namespaces. Root may enter all of them directly, and takes the guest's user
    /// on the way. A user must become root of the outer one first, which is reached through a descriptor since no process lives in it.
    /// </summary>
    private static IReadOnlyList<string> Crossing(SandboxRecord record, RunRecord run, SafeFileHandle? outer)
    {
        List<string> command = outer is null
            ? ["setpriv", "--regid=" + Text(record.UserId), "--clear-groups", "--", "nsenter", "--setuid", Text(GuestPaths.UserId)]
            : ["nsenter", "--preserve-credentials", $"--user=/proc/{Environment.ProcessId}/fd/{outer.DangerousGetHandle()}", "--", "nsenter"];
        return [.. command, "--preserve-credentials", .. Namespaces, "--no-fork", "--target", Text(run.Init.Id), "--"];
    }

    private static string Text(long number) => number.ToString(CultureInfo.InvariantCulture);
}
