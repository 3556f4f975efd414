namespace Drella.Core.Jobs;

/// <summary>Wakes one waiting loop; raising it many times while nobody waits wakes once.</summary>
public sealed class Signal
{
    private readonly SemaphoreSlim pending = new(0, 1);

    public void Raise()
    {
        lock (pending)
        {
            if (pending.CurrentCount == 0)
            {
                pending.Release();
            }
        }
    }

    /// <summary>Waits for the next raise, at most <paramref name="longest"/>.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        using var timer = new CancellationTokenSource(longest, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(timer.Token, cancellationToken);
        try
        {
            await pending.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (timer.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            // The longest wait is over: go round.
        }
    }
}
