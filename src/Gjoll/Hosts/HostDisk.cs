namespace Gjoll.Hosts;

/// <summary>The host's own disk: its reserve, and the removal of what guests or builds filled.</summary>
internal static class HostDisk
{
    /// <exception cref="GjollException">Less than the reserve is free: nothing new is begun, so that what runs can go on.</exception>
    public static void CheckReserve(string folder, long reserve, string attempt)
    {
        var free = new DriveInfo(folder).AvailableFreeSpace;
        if (free < reserve)
        {
            throw new GjollException(
                $"Could not {attempt}: {free >> 20} MiB are free at {folder}, and {reserve >> 20} MiB are kept in reserve. Remove sandboxes or images, or lower the reserve.",
                isTransient: true);
        }
    }

    /// <summary>Links are removed, not followed; other file systems are not entered. Absent is success.</summary>
    public static Task RemoveAsync(string path, CancellationToken cancellationToken) =>
        Path.Exists(path) ? HostProcess.RunAsync(["rm", "-rf", "--one-file-system", "--", path], cancellationToken) : Task.CompletedTask;
}
