namespace Gjoll.Tests;

/// <summary>All that sandboxes of one state folder can leave on a host, in words that can be compared.</summary>
[CollectionDefinition(nameof(HostInventory), DisableParallelization = true)]
public sealed record HostInventory
{
    public static string Take(string stateFolder)
    {
        // The mark holds a digest of the folder, so that other tests' sandboxes do not count.
        var prefix = new Bubblewrap.SandboxFolders(stateFolder).MarkerPrefix;
        var processes = TestHost.Processes().Count(id => TestHost.EnvironmentOf(id).Any(entry => entry.StartsWith("GJOLL_SANDBOX=" + prefix, StringComparison.Ordinal)));
        var mounts = File.ReadLines("/proc/self/mounts").Count(line => line.Contains(stateFolder, StringComparison.Ordinal));
        var cgroups = Directory.Exists("/sys/fs/cgroup")
            ? Directory.EnumerateDirectories("/sys/fs/cgroup", prefix + "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Count()
            : 0;
        var images = Directory.EnumerateDirectories("/sys/block", "loop*").Select(loop => Path.Combine(loop, "loop", "backing_file"))
                .Count(file => File.Exists(file) && File.ReadAllText(file).Contains(stateFolder, StringComparison.Ordinal));
        var folders = string.Join(' ', Directory.EnumerateFileSystemEntries(stateFolder, "*", SearchOption.AllDirectories)
            .Select(path => Path.GetRelativePath(stateFolder, path))
            .Where(path => path is not ("sandboxes" or "locks" or "locks/.all"))
            .Order(StringComparer.Ordinal));
        return $"processes {processes}, mounts {mounts}, cgroups {cgroups}, images {images}, folders [{folders}]";
    }
}
