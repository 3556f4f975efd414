using System.Collections.Concurrent;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed record RateState(int Limit, int Used, long Reset)
{
    public int Remaining => Math.Max(0, Limit - Used);
}

/// <summary>Requests an hour and identity. Kept in memory: a restart forgives.</summary>
internal sealed class RateLimits(int limit, TimeProvider time)
{
    private readonly ConcurrentDictionary<long, RateState> _states = new();

    public RateState Of(UserRow? user) => _states.TryGetValue(user?.Id ?? 0, out var state) && state.Reset > Now() ? state : Fresh();

    public RateState Spend(UserRow? user) => _states.AddOrUpdate(
        user?.Id ?? 0, _ => Fresh() with { Used = 1 }, (_, s) => s.Reset > Now() ? s with { Used = Math.Min(s.Used + 1, limit + 1) } : Fresh() with { Used = 1 });

    private RateState Fresh() => new(limit, 0, Now() + 3600);

    private long Now() => time.GetUtcNow().ToUnixTimeSeconds();
}
