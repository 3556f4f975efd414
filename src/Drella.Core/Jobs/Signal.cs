namespace Drella.Core.Jobs;

/// <summary>Wakes one waiting loop; raising it many times while nobody waits wakes once.</summary>
public sealed class Signal
{
    private readonly Lock gate = new();
    private TaskCompletionSource raised = New();

    public void Raise()
    {
        lock (gate)
        {
            raised.TrySetResult();
        }
    }

    /// <summary>Waits for the next raise, at most <paramref name="longest"/>.</summary>
    public async Task WaitAsync(TimeSpan longest, TimeProvider time, CancellationToken cancellationToken)
    {
        try
        {
            await raised.Task.WaitAsync(longest, time, cancellationToken);
        }
        catch (TimeoutException)
        {
            // The longest wait is over: go round.
        }

        lock (gate)
        {
            raised = raised.Task.IsCompleted ? New() : raised;
        }
    }

    private static TaskCompletionSource New() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
