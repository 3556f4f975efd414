namespace Drella.Core.Jobs;

/// <summary>
/// Wakes one waiting loop; raising it many times while nobody waits wakes once. The wait is one promise that the raise, the clock or the
/// cancellation keeps, awaited directly: on one thread its order is fixed, which the simulation rests on.
/// </summary>
public sealed class Signal
{
    private readonly Lock gate = new();
    private TaskCompletionSource? waiter;
    private bool isRaised;

    public void Raise()
    {
        lock (gate)
        {
            isRaised = true;
            waiter?.TrySetResult();
        }
    }

    /// <summary>Waits for the next raise, at most <paramref name="longest"/>.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            waiter = mine;
            if (isRaised)
            {
                mine.TrySetResult();
            }
        }

        await using var timer = time.CreateTimer(static state => ((TaskCompletionSource)state!).TrySetResult(), mine, longest, Timeout.InfiniteTimeSpan);
        await using var cancelled = cancellationToken.Register(() => mine.TrySetCanceled(cancellationToken));
        await mine.Task;
        lock (gate)
        {
            waiter = null;
            isRaised = false;
        }
    }
}
