using System.Globalization;

namespace Drella.Drivers.Processes;

/// <summary>
/// Descendants of a process, each known by id and start time so that a reused id is never signalled. Those that lost their parent are known by
/// the mark in the environment that they were started with.
/// </summary>
internal static class ProcessTree
{
    /// <summary>Name of the variable that marks a process and all that it starts.</summary>
    public const string Mark = "DRELLA_PROCESS";

    /// <summary>Adds every living descendant of <paramref name="root"/>, of what is in <paramref name="found"/>, and whatever carries the mark.</summary>
    public static void Collect(int root, string mark, Dictionary<int, string> found)
    {
        var marked = System.Text.Encoding.ASCII.GetBytes($"{Mark}={mark}\0");
        var stats = new List<(int Id, int Parent, string Started)>();
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id)
                && Read(id) is { } stat)
            {
                stats.Add((id, stat.Parent, stat.Started));
            }
        }

        stats.RemoveAll(stat => stat.Id == root);
        foreach (var (id, parent, started) in stats)
        {
            if (parent == root || Carries(id, marked))
            {
                found.TryAdd(id, started);
            }
        }

        for (var before = -1; before != found.Count;)
        {
            before = found.Count;
            foreach (var (id, _, started) in stats.Where(stat => IsOf(stat.Parent)))
            {
                found.TryAdd(id, started);
            }
        }

        bool IsOf(int parent) =>
            found.TryGetValue(parent, out var known) && stats.Exists(stat => stat.Id == parent && stat.Started == known);
    }

    public static void Kill(Dictionary<int, string> found)
    {
        foreach (var (id, started) in found)
        {
            if (Read(id)?.Started == started)
            {
                _ = HostProcess.Native.Kill(id, 9);
            }
        }
    }

    private static bool Carries(int id, byte[] marked)
    {
        try
        {
            return File.ReadAllBytes($"/proc/{id}/environ").AsSpan().IndexOf(marked) >= 0;
        }
        catch (IOException)
        {
            return false;
        }
        catch (UnauthorizedAccessException)
        {
            return false;
        }
    }

    // "12 (a name) S 1 ..." where the name may hold spaces and parentheses; parent is field 4 and start time field 22.
    private static (int Parent, string Started)? Read(int id)
    {
        try
        {
            var stat = File.ReadAllText($"/proc/{id}/stat");
            var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
            return (int.Parse(fields[1], CultureInfo.InvariantCulture), fields[19]);
        }
        catch (IOException)
        {
            return null;
        }
        catch (UnauthorizedAccessException)
        {
            return null;
        }
    }
}
