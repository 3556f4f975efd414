namespace Gjoll.Safety;

/// <summary>One attack, the same on every provider.</summary>
internal sealed record HostileCase
{
    public required string Id { get; init; }

    public required string Attack { get; init; }

    /// <summary>Takes a moment and little of the host.</summary>
    public bool IsQuick { get; init; }

    /// <summary>How the sentence begins with which a provider says that it does not contain this; null when every provider must.</summary>
    public string? Declared { get; init; }

    /// <summary>Carries it out and says what it reached; null when it was held.</summary>
    public required Func<HostileGround, CancellationToken, Task<string?>> RunAsync { get; init; }
}
