using System.Text.Json.Serialization;

namespace Gjoll.Qemu;

/// <summary>
/// What belongs to a saved machine and must be the same where it is loaded: memory, device state, disk, QEMU, machine type, processor and devices are
/// one thing, and a mix of two is garbage at best.
/// </summary>
internal sealed record TemplateRecord
{
    public int Version { get; init; } = 1;

    /// <summary>The image by the digest of its manifest.</summary>
    public required string Image { get; init; }

    /// <summary><see cref="MachinePlan.Shape"/>.</summary>
    public required string Shape { get; init; }

    /// <summary>QEMU's own version line and, under KVM, the host's processor.</summary>
    public required string Host { get; init; }

    public required DateTimeOffset Created { get; init; }

    /// <summary>Virtual size of the disk, bytes.</summary>
    public required long DiskBytes { get; init; }

    public required string StateDigest { get; init; }
    public required string MemoryDigest { get; init; }
    public required string DiskDigest { get; init; }
}

[JsonSourceGenerationOptions(WriteIndented = true, PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TemplateRecord))]
internal sealed partial class TemplateJson : JsonSerializerContext;
