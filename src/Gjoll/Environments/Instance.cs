namespace Gjoll.Environments;

/// <summary>A sandbox that the <c>gjoll</c> command made: which provider has it and what it was made from.</summary>
public sealed record Instance
{
    public required string Name { get; init; }
    public required string Provider { get; init; }
    public required DateTimeOffset Created { get; init; }
    public required InstanceStage Stage { get; init; }

    /// <summary>The environment file as it was, for display.</summary>
    public required string EnvironmentFile { get; init; }

    /// <summary>Its text when the sandbox was made: what is in the file now is of no account.</summary>
    public required string Environment { get; init; }

    /// <summary>Why it is not ready.</summary>
    public string? Problem { get; init; }

    /// <summary>The process that serves its proxies, and the time of its start; null when there is none.</summary>
    public DoorKeeper? Doors { get; init; }
}

public enum InstanceStage
{
    /// <summary>Being made, or whoever made it died.</summary>
    Creating,

    /// <summary>Made, but what was to be done in it did not succeed.</summary>
    Failed,

    Ready,
}

public sealed record DoorKeeper(int ProcessId, long StartTime);
