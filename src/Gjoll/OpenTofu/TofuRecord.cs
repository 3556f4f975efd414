using System.Text.Json.Serialization;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.OpenTofu;

internal sealed record TofuRecord
{
    public required string Name { get; init; }
    public required SpecRecord Spec { get; init; }
    public required DateTimeOffset Created { get; init; }

    /// <summary>The user's file or folder, as it was named.</summary>
    public required string Source { get; init; }

    public bool Ready { get; init; }
    public bool Removing { get; init; }

    /// <summary>Written before the first apply: from then on there may be something in a cloud that costs money, and only a destroy that succeeded ends that.</summary>
    public bool Applied { get; init; }

    public TofuOutputs? Outputs { get; init; }

    /// <summary>Of the guest's user.</summary>
    public string? Home { get; init; }

    /// <summary>Null while it is stopped. Written before its cloud is asked to start it: from then on it may cost money.</summary>
    public TofuRun? Run { get; init; }
}

internal sealed record TofuRun
{
    public required DateTimeOffset Deadline { get; init; }
    public ProcessIdentity? Warden { get; init; }

    /// <summary>False until it has started, and again before it is stopped: nothing runs there then, whatever becomes of the machine.</summary>
    public bool IsUp { get; init; }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(TofuRecord))]
internal sealed partial class TofuJson : JsonSerializerContext;
