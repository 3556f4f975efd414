using Drella.Core.Sandboxes;

namespace Drella.Gateway.Models;

/// <summary>
/// The way to one provider, shared by all jobs: so many calls at a time, sandboxes in turn, and everybody waits when the provider says so.
/// </summary>
internal sealed class RateGate(int maxCalls, TimeProvider time)
{
    private readonly Lock gate = new();
    private readonly Dictionary<SandboxName, Queue<TaskCompletionSource>> waiting = [];
    private readonly Queue<SandboxName> turns = new();
    private int inside;
    private DateTimeOffset notBefore;

    /// <summary>Everybody waits at least so long from now.</summary>
    public void Pause(TimeSpan span)
    {
        lock (gate)
        {
            var until = time.GetUtcNow() + span;
            notBefore = until > notBefore ? until : notBefore;
        }
    }

    /// <summary>Comes back when it is the sandbox's turn and nobody has to wait. <see cref="Leave"/> must follow.</summary>
    public async Task EnterAsync(SandboxName sandbox, CancellationToken cancellationToken)
    {
        while (true)
        {
            while (Remaining() is { Ticks: > 0 } pause)
            {
                await Task.Delay(pause, time, cancellationToken);
            }

            await TakeTurnAsync(sandbox, cancellationToken);
            if (Remaining().Ticks <= 0)
            {
                return;
            }

            // The provider asked for a pause while this one stood in line.
            Leave();
        }
    }

    public void Leave()
    {
        lock (gate)
        {
            inside--;
            LetIn();
        }
    }

    private async Task TakeTurnAsync(SandboxName sandbox, CancellationToken cancellationToken)
    {
        var turn = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (gate)
        {
            Enqueue(sandbox, turn);
            LetIn();
        }

        await using var giveUp = cancellationToken.Register(() => turn.TrySetCanceled(cancellationToken));
        await turn.Task;
    }

    private TimeSpan Remaining()
    {
        lock (gate)
        {
            return notBefore - time.GetUtcNow();
        }
    }

    private void Enqueue(SandboxName sandbox, TaskCompletionSource turn)
    {
        if (!waiting.TryGetValue(sandbox, out var queue))
        {
            waiting[sandbox] = queue = new Queue<TaskCompletionSource>();
            turns.Enqueue(sandbox);
        }

        queue.Enqueue(turn);
    }

    private void LetIn()
    {
        while (inside < maxCalls && turns.TryDequeue(out var sandbox))
        {
            var queue = waiting[sandbox];
            var turn = queue.Dequeue();
            if (queue.Count > 0)
            {
                turns.Enqueue(sandbox);
            }
            else
            {
                waiting.Remove(sandbox);
            }

            // One that gave up meanwhile takes no place.
            inside += turn.TrySetResult() ? 1 : 0;
        }
    }
}
