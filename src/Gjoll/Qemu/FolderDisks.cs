using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>
/// Folders of the host for guests to read: each becomes a disk of its own, made once for what it holds. Nothing of the host is shared; a guest has a copy.
/// </summary>
internal sealed class FolderDisks(MachineFolders folders, TimeProvider time)
{
    private static readonly TimeSpan Late = TimeSpan.FromHours(1);

    /// <summary>The name of the disk in <see cref="MachineFolders.FolderDisks"/>. Any number of callers may make the same one.</summary>
    public async Task<string> EnsureAsync(string folder, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folders.FolderDisks, Modes.Passage);
        var (name, bytes) = Describe(Path.GetFullPath(folder));
        var target = Path.Combine(folders.FolderDisks, name);
        if (File.Exists(target))
        {
            // Wanted again: see below.
            File.SetLastWriteTimeUtc(target, time.GetUtcNow().UtcDateTime);
            return name;
        }

        var draft = string.Create(CultureInfo.InvariantCulture, $"{target}.{Environment.ProcessId}{MachineFolders.NewSuffix}");
        File.Delete(draft);
        await HostProcess.RunAsync(
            ["mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-m", "0", "-E", "root_owner=0:0", "-d", Path.GetFullPath(folder), draft,
                ((bytes / 1024) + (bytes / 1024 / 8) + 4096).ToString(CultureInfo.InvariantCulture) + "k"],
            cancellationToken);
        File.SetUnixFileMode(draft, Modes.FileForAll);
        File.Move(draft, target, overwrite: true);
        return name;
    }

    /// <summary>
    /// Disks, and drafts of them, that none of these names and nobody wanted of late: a machine is registered after its disks were made.
    /// </summary>
    public IReadOnlyList<string> Unused(IEnumerable<string> named, DateTimeOffset now)
    {
        var used = named.ToHashSet(StringComparer.Ordinal);
        return Directory.Exists(folders.FolderDisks)
            ? [.. Directory.EnumerateFiles(folders.FolderDisks).Where(file => !used.Contains(Path.GetFileName(file)) && now - File.GetLastWriteTimeUtc(file) > Late)]
            : [];
    }

    // Names, sizes and times, as for any cache of files: who changes a file and hides it from all three wants the old one.
    private static (string Name, long Bytes) Describe(string folder)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var bytes = 0L;
        foreach (var entry in new DirectoryInfo(folder).EnumerateFileSystemInfos("*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .OrderBy(entry => entry.FullName, StringComparer.Ordinal))
        {
            var size = entry is FileInfo { LinkTarget: null } file ? file.Length : 0;
            bytes += ((size + 4095) / 4096 * 4096) + 4096;
            hash.AppendData(Encoding.UTF8.GetBytes(FormattableString.Invariant(
                $"{entry.FullName[folder.Length..]}\0{size}\0{entry.LastWriteTimeUtc.Ticks}\0{(int)entry.UnixFileMode}\0{entry.LinkTarget}\0")));
        }

        return (Convert.ToHexStringLower(hash.GetHashAndReset())[..32] + ".ext4", bytes);
    }
}
