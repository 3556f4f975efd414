using System.Globalization;

namespace Gjoll.Hosts;

/// <summary>
/// Limits by control groups, version 2 where its controllers can be used, else version 1, else none. Groups are made below the one that the host process
/// lives in (version 1) or beside it (version 2, which allows no processes between), so that an outer limit keeps its hold.
/// </summary>
internal sealed class Cgroups
{
    private readonly Dictionary<string, string> _bases;
    private readonly bool _unified;

    private Cgroups(Dictionary<string, string> bases, bool unified) => (_bases, _unified) = (bases, unified);

    public static Cgroups None { get; } = new([], unified: false);

    public bool LimitsMemory => Has("memory");

    public bool LimitsProcesses => Has("pids");

    public bool LimitsCpu => Has("cpu");

    public IEnumerable<string> Bases => _bases.Values.Distinct(StringComparer.Ordinal);

    /// <summary>Looks at what this host offers to this process, by trying.</summary>
    public static Cgroups Detect() => Detect("/proc/self/cgroup", "/proc/self/mountinfo", "gjoll-probe-" + Environment.ProcessId.ToString(CultureInfo.InvariantCulture));

    public IReadOnlyList<string> Plan(string marker) => [.. Bases.Select(folder => Path.Combine(folder, marker))];

    public void Make(string marker, SandboxLimits limits)
    {
        foreach (var folder in Plan(marker))
        {
            Directory.CreateDirectory(folder);
        }

        foreach (var (controller, parent) in _bases)
        {
            var folder = Path.Combine(parent, marker);
            foreach (var (file, value, needed) in Settings(controller, limits))
            {
                Write(Path.Combine(folder, file), value, needed);
            }
        }
    }

    /// <summary>Removes the groups that are empty of processes; false while one is not.</summary>
    public static bool TryRemove(IEnumerable<string> groups)
    {
        var gone = true;
        foreach (var group in groups)
        {
            try
            {
                if (Directory.Exists(group))
                {
                    Directory.Delete(group);
                }
            }
            catch (DirectoryNotFoundException)
            {
                // Somebody else was faster.
            }
            catch (IOException)
            {
                gone = false;
            }
        }

        return gone;
    }

    public static IReadOnlyList<int> Members(string group)
    {
        try
        {
            return [.. File.ReadAllLines(Path.Combine(group, "cgroup.procs")).Select(line => int.Parse(line, CultureInfo.InvariantCulture)).Where(id => id > 0)];
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static Cgroups Detect(string own, string mounts, string probe)
    {
        var memberships = File.ReadAllLines(own).Select(line => line.Split(':', 3)).Where(parts => parts.Length == 3).ToList();
        var mountLines = File.ReadAllLines(mounts);
        var bases = new Dictionary<string, string>(StringComparer.Ordinal);

        if (memberships.Find(parts => parts[1].Length == 0) is { } unified && Mount(mountLines, "cgroup2", controller: null) is { } top)
        {
            var folder = Combine(top, unified[2]);
            var parent = unified[2] == "/" ? folder : Path.GetDirectoryName(folder)!;
            if (CanDelegate(parent) && CanMake(parent, probe))
            {
                var offered = Words(Path.Combine(parent, "cgroup.subtree_control"));
                foreach (var controller in Controllers.Where(offered.Contains))
                {
                    bases[controller] = parent;
                }
            }
        }

        if (bases.Count > 0)
        {
            return new Cgroups(bases, unified: true);
        }

        foreach (var controller in Controllers)
        {
            if (memberships.Find(parts => parts[1].Split(',').Contains(controller)) is { } member
                && Mount(mountLines, "cgroup", controller) is { } mount
                && CanMake(Combine(mount, member[2]), probe))
            {
                bases[controller] = Combine(mount, member[2]);
            }
        }

        return new Cgroups(bases, unified: false);
    }

    private static readonly string[] Controllers = ["memory", "pids", "cpu"];

    private bool Has(string controller) => _bases.ContainsKey(controller);

    private IEnumerable<(string File, string Value, bool Needed)> Settings(string controller, SandboxLimits limits)
    {
        var memory = limits.MemoryBytes.ToString(CultureInfo.InvariantCulture);
        var processes = limits.MaxProcesses.ToString(CultureInfo.InvariantCulture);
        var quota = ((long)(limits.Cpus * 100_000)).ToString(CultureInfo.InvariantCulture);
        return (controller, _unified) switch
        {
            ("memory", true) => [("memory.max", memory, true), ("memory.swap.max", "0", false), ("memory.oom.group", "0", false)],
            ("memory", false) => [("memory.limit_in_bytes", memory, true), ("memory.memsw.limit_in_bytes", memory, false), ("memory.swappiness", "0", false)],
            ("pids", _) => [("pids.max", processes, true)],
            ("cpu", true) => [("cpu.max", quota + " 100000", true)],
            ("cpu", false) => [("cpu.cfs_period_us", "100000", true), ("cpu.cfs_quota_us", quota, true)],
            _ => [],
        };
    }

    private static void Write(string file, string value, bool needed)
    {
        try
        {
            File.WriteAllText(file, value);
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            if (needed)
            {
                throw new GjollException($"The kernel refused {value} for {file}: {refused.Message}", isTransient: false, refused);
            }
        }
    }

    private static bool CanDelegate(string folder)
    {
        var available = Words(Path.Combine(folder, "cgroup.controllers"));
        var wanted = Controllers.Where(available.Contains).Except(Words(Path.Combine(folder, "cgroup.subtree_control"))).ToList();
        try
        {
            if (wanted.Count > 0)
            {
                File.WriteAllText(Path.Combine(folder, "cgroup.subtree_control"), string.Join(' ', wanted.Select(controller => "+" + controller)));
            }

            return available.Length > 0;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static bool CanMake(string parent, string probe)
    {
        var folder = Path.Combine(parent, probe);
        try
        {
            Directory.CreateDirectory(folder);
            Directory.Delete(folder);
            return true;
        }
        catch (Exception refused) when (refused is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static string[] Words(string file)
    {
        try
        {
            return File.ReadAllText(file).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return [];
        }
    }

    private static string Combine(string mount, string path) => Path.TrimEndingDirectorySeparator(mount + path);

    // 36 32 0:30 / /sys/fs/cgroup/memory rw,relatime shared:9 - cgroup cgroup rw,memory
    private static string? Mount(string[] lines, string kind, string? controller)
    {
        foreach (var line in lines)
        {
            var halves = line.Split(" - ", 2);
            var tail = halves.Length == 2 ? halves[1].Split(' ') : [];
            if (tail.Length >= 3 && tail[0] == kind && (controller is null || tail[2].Split(',').Contains(controller)))
            {
                return halves[0].Split(' ')[4];
            }
        }

        return null;
    }
}
