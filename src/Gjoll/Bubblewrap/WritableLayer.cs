using System.Globalization;
using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

/// <summary>
/// What a guest may write and what is kept while it is stopped: a sized file system image, which the host never mounts for itself, or a folder.
/// </summary>
internal sealed class WritableLayer(SandboxFolders folders, SandboxName name, SandboxRecord record)
{
    private const string Image = "disk.img";

    private string Folder => folders.Layer(name);

    public async Task MakeAsync(CancellationToken cancellationToken)
    {
        await RemoveAsync(Folder, cancellationToken);
        // The folder above it is closed to others; in the launcher's mount namespace the guest's user passes through this one alone.
        Directory.CreateDirectory(Folder, Modes.Passage);
        File.SetUnixFileMode(Folder, Modes.Passage);
        if (record.DiskImage)
        {
            var image = Path.Combine(Folder, Image);
            await HostProcess.RunAsync(["truncate", "--size", record.Spec.Limits.DiskBytes.ToString(CultureInfo.InvariantCulture), image], cancellationToken);
            await HostProcess.RunAsync(
                ["mkfs.ext4", "-q", "-F", "-m", "0", "-O", "^has_journal", "-E", "lazy_itable_init=1,nodiscard", image], cancellationToken);
            return;
        }

        foreach (var part in Parts)
        {
            var path = Path.Combine(Folder, part);
            Directory.CreateDirectory(path, Modes.Owner);
            if (record.DropUser)
            {
                Native.ChangeOwner(path, record.UserId, record.UserId);
            }
        }
    }

    /// <summary>The longest file, in the shell's blocks of 512 bytes, where nothing else bounds it; else empty.</summary>
    public static string LargestFile(SandboxRecord record) =>
        record.DiskImage ? "" : (record.Spec.Limits.DiskBytes / 512).ToString(CultureInfo.InvariantCulture);

    /// <summary>Kind, place and source for the root launcher.</summary>
    public IReadOnlyList<string> Mounts() => record.DiskImage
        ? ["image", "layer", Path.Combine(Folder, Image)]
        : ["folder", "layer", Folder];

    /// <summary>Without a root launcher the folders are bound as they are.</summary>
    public string Source(string part) => record.DropUser ? $"/mnt/layer/{part}" : Path.Combine(Folder, part);

    public async Task SnapshotAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folders.Snapshots(name), Modes.Owner);
        var draft = Path.Combine(folders.Snapshots(name), ".new");
        await RemoveAsync(draft, cancellationToken);
        await CopyAsync(Folder, draft, cancellationToken);
        await RemoveAsync(PathOf(snapshot), cancellationToken);
        Directory.Move(draft, PathOf(snapshot));
    }

    /// <summary>The old layer stays until the copy is whole; a crash in between is repaired by <see cref="Repair"/>.</summary>
    public async Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(PathOf(snapshot)))
        {
            throw new GjollException($"Sandbox {name} has no snapshot {snapshot}.");
        }

        await RemoveAsync(Draft, cancellationToken);
        await RemoveAsync(Old, cancellationToken);
        await CopyAsync(PathOf(snapshot), Draft, cancellationToken);
        Directory.Move(Folder, Old);
        Directory.Move(Draft, Folder);
        await RemoveAsync(Old, cancellationToken);
    }

    /// <summary>Puts the layer back when a restore was cut between its two moves.</summary>
    public void Repair()
    {
        if (!Directory.Exists(Folder) && Directory.Exists(Old))
        {
            Directory.Move(Old, Folder);
        }
    }

    public IReadOnlyList<SnapshotName> Snapshots() =>
        Directory.Exists(folders.Snapshots(name))
            ? [.. Directory.EnumerateDirectories(folders.Snapshots(name))
                .Select(Path.GetFileName)
                .Where(file => SandboxName.TryParse(file, out _))
                .Order(StringComparer.Ordinal)
                .Select(file => new SnapshotName(file!))]
            : [];

    /// <summary>Bytes on the host's disk. Links are not followed.</summary>
    public async Task<long> MeasureAsync(CancellationToken cancellationToken)
    {
        var text = await HostProcess.RunAsync([.. Reach(), "du", "-sx", "--block-size=1", Folder], cancellationToken);
        return long.Parse(text.Split('\t')[0], CultureInfo.InvariantCulture);
    }

    public Task RemoveAsync(string folder, CancellationToken cancellationToken) =>
        Path.Exists(folder) ? HostProcess.RunAsync([.. Reach(), "rm", "-rf", "--one-file-system", "--", folder], cancellationToken) : Task.CompletedTask;

    private static readonly string[] Parts = ["home", "work"];

    private string Draft => Path.Combine(folders.Of(name), "layer.new");

    private string Old => Path.Combine(folders.Of(name), "layer.old");

    private string PathOf(SnapshotName snapshot) => Path.Combine(folders.Snapshots(name), snapshot.Value);

    private async Task CopyAsync(string from, string to, CancellationToken cancellationToken) =>
        await HostProcess.RunAsync([.. Reach(), "cp", "-a", "--reflink=auto", "--sparse=always", "--", from, to], cancellationToken);

    /// <summary>
    /// A guest may close its own folders to their owner. Root passes anyway; a user passes as root of a user namespace that holds nothing but that user.
    /// </summary>
    private string[] Reach() => record.DropUser ? [] : ["bwrap", "--unshare-user", "--uid", "0", "--gid", "0", "--cap-add", "CAP_DAC_OVERRIDE", "--cap-add", "CAP_FOWNER", "--dev-bind", "/", "/", "--"];
}
