using System.Text.Json.Serialization;

namespace Gjoll.Records;

/// <summary>A specification as it stands in a record.</summary>
internal sealed record SpecRecord
{
    public required SortedDictionary<string, string> Labels { get; init; }
    public required SandboxLimits Limits { get; init; }
    public required IReadOnlyList<ForwardRecord> Forwards { get; init; }
    public required IReadOnlyList<ReadOnlyFolder> ReadOnlyFolders { get; init; }
    public required string Hostname { get; init; }

    public static SpecRecord From(SandboxSpec spec) => new()
    {
        Labels = new SortedDictionary<string, string>(spec.Labels.ToDictionary(), StringComparer.Ordinal),
        Limits = spec.Limits,
        Forwards = [.. spec.Forwards.Select(ForwardRecord.From)],
        ReadOnlyFolders = spec.ReadOnlyFolders,
        Hostname = spec.Hostname,
    };

    public bool IsSameAs(SpecRecord other) => Text() == other.Text();

    private string Text() => System.Text.Json.JsonSerializer.Serialize(this, SpecJson.Default.SpecRecord);
}

internal sealed record ForwardRecord(int? GuestPort, string? GuestPath, string HostSocket)
{
    public static ForwardRecord From(Forward forward) => forward switch
    {
        Forward.Tcp tcp => new ForwardRecord(tcp.GuestPort, null, tcp.HostSocket),
        Forward.Unix unix => new ForwardRecord(null, unix.GuestPath, unix.HostSocket),
        _ => throw new System.Diagnostics.UnreachableException(),
    };
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(SpecRecord))]
internal sealed partial class SpecJson : JsonSerializerContext;
