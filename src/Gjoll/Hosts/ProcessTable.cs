using System.Globalization;
using System.Text;

namespace Gjoll.Hosts;

/// <summary>A process that can be told from a later one with the same number.</summary>
internal sealed record ProcessIdentity(int Id, long StartTime);

/// <summary>Reads the host's <c>/proc</c>. Everything in it may vanish between two reads; what vanished is not there.</summary>
internal static class ProcessTable
{
    private const int Terminate = 15;
    private const int Kill = 9;
    private const long Exiting = 4;

    public static IEnumerable<int> All() =>
        Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(System.IO.Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0)
            .Where(id => id > 0);

    /// <summary>Null when the process is gone or dead and waiting to be reaped.</summary>
    public static ProcessIdentity? Identify(int id) =>
        ReadStat(id) is { } stat && stat.State is not ('Z' or 'X') ? new ProcessIdentity(id, stat.StartTime) : null;

    public static bool IsAlive(ProcessIdentity process) => Identify(process.Id) == process;

    /// <summary>False also for one that the kernel is already taking down, which can last as long as it has others to take with it.</summary>
    public static bool IsStaying(ProcessIdentity process) =>
        ReadStat(process.Id) is { } stat && stat.StartTime == process.StartTime && stat.State is not ('Z' or 'X') && (stat.Flags & Exiting) == 0;

    public static int? ParentOf(int id) => ReadStat(id)?.Parent;

    public static IEnumerable<int> ChildrenOf(int parent) => All().Where(id => ParentOf(id) == parent);

    public static IReadOnlyList<ProcessIdentity> DescendantsOf(int root)
    {
        var parents = new Dictionary<int, Stat>();
        foreach (var id in All())
        {
            if (ReadStat(id) is { } stat)
            {
                parents[id] = stat;
            }
        }

        var found = new List<ProcessIdentity>();
        var level = new HashSet<int> { root };
        while (level.Count > 0)
        {
            var next = parents.Where(pair => level.Contains(pair.Value.Parent)).ToList();
            found.AddRange(next.Select(pair => new ProcessIdentity(pair.Key, pair.Value.StartTime)));
            level = [.. next.Select(pair => pair.Key)];
        }

        return found;
    }

    /// <summary>The number of the PID namespace a process lives in, such as <c>pid:[4026532189]</c>; null when it is gone or not ours to read.</summary>
    public static string? PidNamespaceOf(int id) => ReadLink($"/proc/{id}/ns/pid");

    public static string? NamespaceOf(int id, string kind) => ReadLink($"/proc/{id}/ns/{kind}");

    public static IReadOnlyList<ProcessIdentity> InPidNamespace(string pidNamespace) =>
        [.. All().Where(id => PidNamespaceOf(id) == pidNamespace).Select(Identify).OfType<ProcessIdentity>()];

    /// <summary>The value that a variable had when the process was executed.</summary>
    public static string? EnvironmentValue(int id, string name)
    {
        try
        {
            var text = Encoding.UTF8.GetString(File.ReadAllBytes($"/proc/{id}/environ"));
            return text.Split('\0').FirstOrDefault(entry => entry.StartsWith(name + "=", StringComparison.Ordinal))?[(name.Length + 1)..];
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    /// <summary>The kernel user a process runs as.</summary>
    public static uint? UserOf(int id)
    {
        try
        {
            // Uid:	1000	1000	1000	1000
            var line = File.ReadLines($"/proc/{id}/status").FirstOrDefault(line => line.StartsWith("Uid:", StringComparison.Ordinal));
            return line is null ? null : uint.Parse(line.Split('\t')[2], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return null;
        }
    }

    public static void SignalKill(ProcessIdentity process) => Signal(process, Kill);

    public static void SignalTerminate(ProcessIdentity process) => Signal(process, Terminate);

    public static void Signal(ProcessIdentity process, int signal)
    {
        using var handle = Native.OpenProcess(process.Id);
        // Only after the handle is held does the comparison prove that the signal goes to the process that was meant.
        if (handle is not null && IsAlive(process))
        {
            Native.Signal(handle, signal);
        }
    }

    private static string? ReadLink(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static Stat? ReadStat(int id)
    {
        string text;
        try
        {
            text = File.ReadAllText($"/proc/{id}/stat");
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return null;
        }

        // 5356 (any bytes, also ") S 1") S 5345 … : the name is the process's own choice, so the last parenthesis counts.
        var end = text.LastIndexOf(')');
        var fields = end < 0 ? [] : text[(end + 2)..].Split(' ');
        return fields.Length > 19
            ? new Stat(fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture), long.Parse(fields[19], CultureInfo.InvariantCulture), long.Parse(fields[6], CultureInfo.InvariantCulture))
            : null;
    }

    private sealed record Stat(char State, int Parent, long StartTime, long Flags);
}
