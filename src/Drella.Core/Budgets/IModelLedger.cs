using Drella.Core.Jobs;

namespace Drella.Core.Budgets;

/// <summary>
/// The job's money, seen from the model gateway: reserve before a call, settle after it. Amounts are millionths of a US dollar.
/// Both are durable when they complete, so that a crash between them leaves a reservation to be settled at its full amount on start.
/// </summary>
public interface IModelLedger
{
    /// <summary>Reserves the most that a call can cost, or says that the budget does not hold it.</summary>
    Task<Reservation> ReserveAsync(Assignment assignment, ModelCall call, CancellationToken cancellationToken);

    /// <summary>Puts what the call really cost in the place of its reservation. Idempotent per call id.</summary>
    Task SettleAsync(Assignment assignment, string callId, ModelUsage usage, CancellationToken cancellationToken);
}

/// <param name="CallId">Unique per call.</param>
/// <param name="Model">Model asked for.</param>
/// <param name="MaxCost">Upper bound of its cost, millionths of a US dollar.</param>
public sealed record ModelCall(string CallId, string Model, long MaxCost);

public abstract record Reservation
{
    private Reservation()
    {
    }

    /// <summary>Go on. <paramref name="NearLimit"/> tells the agent to wrap up.</summary>
    public sealed record Granted(bool NearLimit) : Reservation;

    /// <summary>The budget does not hold the call: the job pauses.</summary>
    public sealed record Exhausted(long Limit, long Spent) : Reservation;

    /// <summary>The assignment is not at work any more: cancelled, superseded, over.</summary>
    public sealed record Stale : Reservation;
}

/// <summary>What a call used, as the provider's answer said; <see cref="Cost"/> by our price list.</summary>
public sealed record ModelUsage(string Model, long Input, long Output, long CacheRead, long CacheWrite, long Cost, int Status);
