using System.Text.Json;
using System.Text.Json.Serialization;

namespace Drella.StubAgent;

/// <summary>What the stub does, in order. Described in docs/formats/stub-agent.md.</summary>
internal sealed record StubScript
{
    public required int Version { get; init; }

    public required IReadOnlyList<StubStep> Steps { get; init; }

    public bool IgnoreTerm { get; init; }

    public bool IgnoreInterrupt { get; init; }

    public int ExitCode { get; init; }

    public int? Signal { get; init; }

    /// <summary>Folder that recordings are relative to.</summary>
    [JsonIgnore]
    public string Folder { get; private init; } = "";

    private static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        ReadCommentHandling = JsonCommentHandling.Skip,
    };

    public static StubScript Parse(ReadOnlySpan<byte> json, string folder)
    {
        var script = JsonSerializer.Deserialize<StubScript>(json, Options) ?? throw new JsonException("The script is null.");
        return script.Version == 1 ? script with { Folder = folder } : throw new JsonException($"Version {script.Version} is not 1.");
    }

    public static StubScript OfRecording(string file) => new()
    {
        Version = 1,
        Steps = [new StubStep { AwaitInput = true }, new StubStep { Recording = new StubRecording { File = file } }],
    };
}

/// <summary>One step; exactly one member is set.</summary>
internal sealed record StubStep
{
    public bool Init { get; init; }

    public bool AwaitInput { get; init; }

    public string? Say { get; init; }

    public string? Result { get; init; }

    public string? Line { get; init; }

    public string? Part { get; init; }

    public string? Bytes { get; init; }

    public StubRecording? Recording { get; init; }

    public int BigLine { get; init; }

    public int Flood { get; init; }

    public string[]? Run { get; init; }

    public string[]? Leave { get; init; }

    public bool Hang { get; init; }

    public bool AwaitEnd { get; init; }

    public string? Error { get; init; }
}

internal sealed record StubRecording
{
    public required string File { get; init; }

    /// <summary>Puts a line that is no JSON after every n-th line.</summary>
    public int GarbageEvery { get; init; }

    /// <summary>Leaves result lines out.</summary>
    public bool WithoutResult { get; init; }

    /// <summary>Cuts the last line in half.</summary>
    public bool CutLast { get; init; }

    /// <summary>Hangs before this line, counted from 1.</summary>
    public int HangAt { get; init; }
}
