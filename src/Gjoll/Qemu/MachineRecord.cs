using System.Text.Json.Serialization;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Qemu;

/// <summary>What stands on disk about one machine. It is written before anything is made and removed after everything is gone.</summary>
internal sealed record MachineRecord
{
    public int Version { get; init; } = 1;
    public required string Name { get; init; }
    public required SpecRecord Spec { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>The image by the digest of its manifest, whatever its name means by now.</summary>
    public required string Image { get; init; }

    /// <summary>The kernel user that its QEMU runs as.</summary>
    public required uint UserId { get; init; }

    public required bool DropUser { get; init; }

    /// <summary>The template whose disk lies under its own; null when that is the image's.</summary>
    public string? Template { get; init; }

    /// <summary>What its processes of the present start are marked with, when it is not its own name: they were started for the pool.</summary>
    public string? Marker { get; init; }

    /// <summary>False from registration until its disk is whole.</summary>
    public bool Ready { get; init; }

    /// <summary>True from the first step of its destruction: what is left of it must not be used again.</summary>
    public bool Removing { get; init; }

    public bool WasStarted { get; init; }

    /// <summary>What the next start goes on from.</summary>
    public Beginning Next { get; init; } = Beginning.Boot;

    /// <summary>Its memory is a file in its own folder, so that it can be forked in a moment.</summary>
    public bool SharedMemory { get; init; }

    public bool WasWarm { get; init; }

    /// <summary>Folders to be removed with it; known before they are made.</summary>
    public IReadOnlyList<string> Cgroups { get; init; } = [];

    /// <summary>The disks of its read-only folders, in their order.</summary>
    public IReadOnlyList<string> FolderDisks { get; init; } = [];

    public MachineRun? Run { get; init; }
}

/// <summary>One start of a machine.</summary>
internal sealed record MachineRun
{
    /// <summary>Its QEMU, by its number on the host.</summary>
    public required ProcessIdentity Qemu { get; init; }

    public required Accelerator Accelerator { get; init; }

    public required DateTimeOffset Deadline { get; init; }

    /// <summary>Its guest has taken the identity of this start. Until then the start may have been cut short.</summary>
    public bool IsUp { get; init; }

    /// <summary>Its warden; null before there is one, and perhaps dead.</summary>
    public ProcessIdentity? Warden { get; init; }
}

/// <summary>How a start begins.</summary>
[JsonConverter(typeof(JsonStringEnumConverter<Beginning>))]
internal enum Beginning
{
    Boot,

    /// <summary>From the state and the memory of its template.</summary>
    Template,

    /// <summary>From the state in its own folder: of a fork, or of a snapshot with memory.</summary>
    State,

    /// <summary>It runs already, taken from the pool, and only lacks an identity.</summary>
    Ready,
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(MachineRecord))]
internal sealed partial class MachineJson : JsonSerializerContext;
