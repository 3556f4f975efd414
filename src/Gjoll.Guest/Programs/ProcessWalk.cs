using System.Globalization;
using System.Text;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>Who descends from whom, by /proc.</summary>
internal static class ProcessWalk
{
    /// <summary>Stops all descendants until no new ones appear, and kills them then: one that is stopped cannot make another.</summary>
    public static void KillBelow(Func<List<int>> find)
    {
        const int MaxRounds = 100;
        HashSet<int> stopped = [];
        for (var round = 0; round < MaxRounds; round++)
        {
            var fresh = find().Where(stopped.Add).ToList();
            if (fresh.Count == 0)
            {
                break;
            }

            fresh.ForEach(process => _ = Libc.kill(process, Libc.SIGSTOP));
        }

        foreach (var process in stopped)
        {
            _ = Libc.kill(process, Libc.SIGKILL);
        }
    }

    public static List<int> Descendants(int root) => Below(Parents(), [root]);

    /// <summary>The children of a process that are not among the known, and what descends from them.</summary>
    public static List<int> Strays(int root, IReadOnlySet<int> known)
    {
        var parents = Parents();
        var first = parents.Where(pair => pair.Value == root && !known.Contains(pair.Key)).Select(pair => pair.Key).ToList();
        return [.. first, .. Below(parents, [.. first])];
    }

    private static List<int> Below(Dictionary<int, int> parents, HashSet<int> roots)
    {
        var children = parents.ToLookup(pair => pair.Value, pair => pair.Key);
        List<int> found = [];
        var open = new Queue<int>(roots);
        while (open.TryDequeue(out var parent))
        {
            foreach (var child in children[parent])
            {
                found.Add(child);
                open.Enqueue(child);
            }
        }

        return found;
    }

    private static Dictionary<int, int> Parents()
    {
        Dictionary<int, int> parents = [];
        foreach (var folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder.AsSpan()), NumberStyles.None, CultureInfo.InvariantCulture, out var process) && Parent(process) is { } parent)
            {
                parents[process] = parent;
            }
        }

        return parents;
    }

    /// <summary>Null when it is gone or only waits to be reaped.</summary>
    private static int? Parent(int process)
    {
        if (Descriptors.TryReadFile($"/proc/{process}/stat", 1024) is not { } content)
        {
            return null;
        }

        // 12 (any text) S 1 ...
        var fields = Encoding.ASCII.GetString(content.AsSpan(content.AsSpan().LastIndexOf((byte)')') + 1)).Split(' ', 4);
        return fields.Length > 2 && fields[1] is not ("Z" or "X") && int.TryParse(fields[2], NumberStyles.None, CultureInfo.InvariantCulture, out var parent) ? parent : null;
    }
}
