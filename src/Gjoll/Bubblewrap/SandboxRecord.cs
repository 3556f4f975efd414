using System.Text.Json.Serialization;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>What stands on disk about one sandbox. It is written before anything is made and removed after everything is gone.</summary>
internal sealed record SandboxRecord
{
    public int Version { get; init; } = 1;
    public required string Name { get; init; }
    public required SpecRecord Spec { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>The kernel user that the guest runs as.</summary>
    public required uint UserId { get; init; }

    public required bool DropUser { get; init; }
    public required bool DiskImage { get; init; }

    /// <summary>False from registration until the writable layer is whole.</summary>
    public bool Ready { get; init; }

    /// <summary>True from the first step of its destruction: what is left of it must not be used again.</summary>
    public bool Removing { get; init; }

    public bool WasStarted { get; init; }

    /// <summary>Folders to be removed with it; known before they are made.</summary>
    public IReadOnlyList<string> Cgroups { get; init; } = [];

    public RunRecord? Run { get; init; }
}

/// <summary>One start of a sandbox.</summary>
internal sealed record RunRecord
{
    /// <summary>Process 1 of the guest, by its number on the host.</summary>
    public required ProcessIdentity Init { get; init; }

    public required string PidNamespace { get; init; }

    /// <summary>What else of ours is in the guest, and is not asked to end before the guest's own processes have: forwarders, of an earlier version.</summary>
    public required IReadOnlyList<ProcessIdentity> Residents { get; init; }

    /// <summary>The last one that was started; it may have died since. Null in a record of a version whose guests had no agent.</summary>
    public ProcessIdentity? Warden { get; init; }

    public required DateTimeOffset Deadline { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SandboxRecord))]
internal sealed partial class RecordJson : JsonSerializerContext;
