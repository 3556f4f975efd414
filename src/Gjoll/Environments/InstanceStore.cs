using System.Text.Json.Serialization;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Environments;

/// <summary>The instances of one home folder. The record is written before anything is made and removed when all of it is gone.</summary>
public sealed class InstanceStore
{
    private readonly StateFolders _folders;
    private readonly RecordStore<Instance> _records;

    public InstanceStore(string home, TimeProvider time)
    {
        _folders = new StateFolders(home);
        _records = new RecordStore<Instance>(_folders, InstanceJson.Default.Instance, time);
        Directory.CreateDirectory(_folders.Root, Modes.Owner);
        Directory.CreateDirectory(_folders.Sandboxes, Modes.Owner);
        Directory.CreateDirectory(_folders.Locks, Modes.Owner);
    }

    public IReadOnlyList<SandboxName> Names() => _records.Names();

    /// <summary>Null when there is none.</summary>
    public Instance? Read(SandboxName name) => _records.Read(name);

    /// <summary>A folder of the instance for what belongs to it on the host: logs and the like.</summary>
    public string FolderOf(SandboxName name) => _folders.Of(name);

    public void Write(Instance instance)
    {
        var name = new SandboxName(instance.Name);
        Directory.CreateDirectory(_folders.Of(name), Modes.Owner);
        _records.Write(name, instance);
    }

    /// <summary>The right to change an instance, in this process or another one.</summary>
    public async Task<InstanceLock> LockAsync(SandboxName name, CancellationToken cancellationToken) =>
        new(await _records.LockAsync(name, cancellationToken));

    /// <summary>Whether whoever was making it died: it will never be ready.</summary>
    public bool IsAbandoned(Instance instance)
    {
        var name = new SandboxName(instance.Name);
        // Read once more: it may have become ready between the reading and the look at the lock.
        return instance.Stage == InstanceStage.Creating && !_records.IsLocked(name)
            && Read(name) is { Stage: InstanceStage.Creating } still && still.Created == instance.Created;
    }

    /// <summary>Removes the record and what lies beside it. The lock is held, and ends with the name.</summary>
    public async Task RemoveAsync(SandboxName name, InstanceLock held, CancellationToken cancellationToken)
    {
        await HostDisk.RemoveAsync(_folders.Of(name), cancellationToken);
        held.RemoveFile();
    }
}

/// <summary>Held until it is disposed or the process dies.</summary>
public sealed class InstanceLock : IDisposable
{
    private readonly NameLock _held;

    internal InstanceLock(NameLock held) => _held = held;

    internal void RemoveFile() => _held.RemoveFile();

    public void Dispose() => _held.Dispose();
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, UseStringEnumConverter = true, WriteIndented = true)]
[JsonSerializable(typeof(Instance))]
internal sealed partial class InstanceJson : JsonSerializerContext;
