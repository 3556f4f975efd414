using System.Text.Json;
using System.Text.Json.Serialization;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>
/// Copies of a machine under a name: of a stopped one its disk, of a running one memory and devices as well, so that it goes on where it was. Callers
/// hold the lock of the sandbox's name.
/// </summary>
internal sealed class Snapshots(MachineHost host, SandboxName name)
{
    private const string KeyFile = "key";
    private const string RecordFile = "snapshot.json";
    private const string Draft = ".new";

    public IReadOnlyList<SnapshotName> List()
    {
        host.Demand(name);
        return Directory.Exists(host.Folders.Snapshots(name))
            ? [.. Directory.EnumerateDirectories(host.Folders.Snapshots(name))
                .Select(Path.GetFileName)
                .Where(file => SandboxName.TryParse(file, out _))
                .Order(StringComparer.Ordinal)
                .Select(file => new SnapshotName(file!))]
            : [];
    }

    public async Task TakeAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        var record = host.Demand(name);
        var running = MachineHost.IsRunning(record);
        if (!running && record.Next == Beginning.State)
        {
            throw new GjollException($"Sandbox {name} waits to go on from a saved state: start it first.");
        }

        host.CheckReserve("save a machine");
        var draft = Path.Combine(host.Folders.Snapshots(name), Draft);
        await HostDisk.RemoveAsync(draft, cancellationToken);
        Directory.CreateDirectory(draft, Modes.Owner);
        if (running)
        {
            await host.FreezeAsync(name, record, (monitor, token) => CopyRunningAsync(monitor, record, draft, token), cancellationToken);
        }
        else
        {
            await Disks.CopyAsync(Disk, Path.Combine(draft, MachineFolder.Disk), cancellationToken);
        }

        var kept = new SnapshotRecord { WithMemory = running, SharedMemory = record.SharedMemory, Template = record.Template, WasTemplate = !running && record.Next == Beginning.Template };
        await File.WriteAllBytesAsync(Path.Combine(draft, RecordFile), JsonSerializer.SerializeToUtf8Bytes(kept, SnapshotJson.Default.SnapshotRecord), cancellationToken);
        await HostDisk.RemoveAsync(PathOf(snapshot), cancellationToken);
        Directory.Move(draft, PathOf(snapshot));
    }

    public async Task RestoreAsync(SnapshotName snapshot, CancellationToken cancellationToken)
    {
        var record = host.Demand(name);
        var folder = PathOf(snapshot);
        if (!Directory.Exists(folder))
        {
            throw new GjollException($"Sandbox {name} has no snapshot {snapshot}.");
        }

        var kept = JsonSerializer.Deserialize(await File.ReadAllBytesAsync(Path.Combine(folder, RecordFile), cancellationToken), SnapshotJson.Default.SnapshotRecord)
            ?? throw new GjollException($"The record of snapshot {snapshot} is empty.");
        if (MachineHost.IsRunning(record))
        {
            // What it is now is what is given up: it needs no grace.
            await host.DisconnectAsync(name);
            await host.EndAllAsync(name, record, cancellationToken);
            record = record with { Run = null, Cgroups = [] };
            host.Registry.Write(name, record);
        }

        await HostDisk.RemoveAsync(host.Folders.State(name), cancellationToken);
        if (kept.WithMemory)
        {
            Directory.CreateDirectory(host.Folders.State(name), Modes.Owner);
            await Disks.CopyAsync(Path.Combine(folder, MachineHost.StateFile), Path.Combine(host.Folders.State(name), MachineHost.StateFile), cancellationToken);
            if (kept.SharedMemory)
            {
                await Disks.CopyAsync(Path.Combine(folder, MachineHost.MemoryCopy), Path.Combine(host.Folders.State(name), MachineHost.MemoryCopy), cancellationToken);
            }

            File.Copy(Path.Combine(folder, KeyFile), host.KeyFile(name), overwrite: true);
        }

        // The new disk beside the old one, then one step.
        var disk = Disk + MachineFolders.NewSuffix;
        await Disks.CopyAsync(Path.Combine(folder, MachineFolder.Disk), disk, cancellationToken);
        if (record.DropUser)
        {
            Native.ChangeOwner(disk, record.UserId, record.UserId);
        }

        File.Move(disk, Disk, overwrite: true);
        host.Registry.Write(name, record with { Next = kept.WithMemory ? Beginning.State : kept.WasTemplate ? Beginning.Template : Beginning.Boot });
    }

    private string Disk => Path.Combine(host.Folders.Machine(name), MachineFolder.Disk);

    private string PathOf(SnapshotName snapshot) => Path.Combine(host.Folders.Snapshots(name), snapshot.Value);

    private async Task CopyRunningAsync(Monitor monitor, MachineRecord record, string target, CancellationToken cancellationToken)
    {
        await host.SaveStateAsync(monitor, name, record, Path.Combine(target, MachineHost.StateFile), cancellationToken);
        if (record.SharedMemory)
        {
            await Disks.CopyAsync(Path.Combine(host.Folders.Machine(name), MachineFolder.Memory), Path.Combine(target, MachineHost.MemoryCopy), cancellationToken);
        }

        await Disks.CopyAsync(Disk, Path.Combine(target, MachineFolder.Disk), cancellationToken);
        File.Copy(host.KeyFile(name), Path.Combine(target, KeyFile));
    }
}

internal sealed record SnapshotRecord
{
    public int Version { get; init; } = 1;

    /// <summary>It goes on where it was, and does not boot.</summary>
    public required bool WithMemory { get; init; }

    public required bool SharedMemory { get; init; }
    public required string? Template { get; init; }

    /// <summary>Taken before the first start of a clone: its disk only makes sense with the template's memory.</summary>
    public required bool WasTemplate { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SnapshotRecord))]
internal sealed partial class SnapshotJson : JsonSerializerContext;
