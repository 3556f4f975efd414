using Drella.Core.Sandboxes;

namespace Drella.Testing.Fakes;

/// <summary>A program in a <see cref="FakeMachine"/>. Ending it is at once; what it runs learns of it by the token.</summary>
public sealed class FakeProcess : IGuestProcess
{
    private readonly List<TaskCompletionSource<GuestExit>> waiters = [];
    private readonly CancellationTokenSource end = new();
    private readonly GuestStream output = new();
    private readonly GuestStream error = new();
    private GuestExit? exit;

    public Stream StandardInput => Stream.Null;

    public Stream StandardOutput => output;

    public Stream StandardError => error;

    public CancellationToken Ending => end.Token;

    /// <summary>True leaves a request to end unheard; only a kill ends it.</summary>
    public bool IsDeaf { get; set; }

    public void Say(string line) => output.Say(line + "\n");

    public void Exit(GuestExit how)
    {
        if (exit is null)
        {
            exit = how;
            output.End();
            error.End();
            end.Cancel();
            foreach (var waiter in waiters.ToList())
            {
                waiter.TrySetResult(how);
            }
        }
    }

    public void Kill() => Exit(new GuestExit(null, 9));

    public Task TerminateAsync(CancellationToken cancellationToken)
    {
        if (!IsDeaf)
        {
            Exit(new GuestExit(null, 15));
        }

        return Task.CompletedTask;
    }

    public Task<GuestExit> WaitAsync(CancellationToken cancellationToken)
    {
        if (exit is not null)
        {
            return Task.FromResult(exit);
        }

        // No thread of its own completes it: whoever waits goes on in the order of the events.
        var waiter = new TaskCompletionSource<GuestExit>();
        waiters.Add(waiter);
        cancellationToken.Register(() => waiter.TrySetCanceled(cancellationToken));
        return waiter.Task;
    }

    public ValueTask DisposeAsync()
    {
        Kill();
        return ValueTask.CompletedTask;
    }
}
