using Microsoft.AspNetCore.Http;

namespace Drella.Forge;

/// <summary>How the built-in forge is run.</summary>
public sealed class ForgeOptions
{
    /// <summary>Holds <c>forge.db</c> and <c>git/</c>; made when absent. One forge at a time may use it.</summary>
    public required string DataFolder { get; init; }

    /// <summary>Where to listen. Port 0 lets the kernel choose.</summary>
    public string ListenUrl { get; init; } = "http://127.0.0.1:0";

    /// <summary>What stands before paths in bodies and webhook payloads; null takes what the client used.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>Requests an hour and identity before a 403 with the rate headers.</summary>
    public int RateLimit { get; init; } = 50_000;

    /// <summary>The largest pack a push may bring.</summary>
    public long MaxPushBytes { get; init; } = 2L * 1024 * 1024 * 1024;

    /// <summary>Git pack processes at one time; further requests wait, then get 503.</summary>
    public int MaxPackProcesses { get; init; } = 8;

    /// <summary>Wrapped around everything, the first outermost: for tests that judge responses or inject faults.</summary>
    public IReadOnlyList<Func<RequestDelegate, RequestDelegate>> Middleware { get; init; } = [];
}
