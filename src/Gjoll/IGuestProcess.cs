namespace Gjoll;

/// <summary>
/// A program running in a guest. The streams are plain pipes: a reader that does not read makes the writer wait, and nothing is buffered in between.
/// Disposing kills it and its descendants; a descendant that has detached itself may live until the sandbox stops.
/// </summary>
public interface IGuestProcess : IAsyncDisposable
{
    /// <summary>Closing it gives the program the end of its input. A program that no longer reads makes writes fail with <see cref="IOException"/>.</summary>
    Stream StandardInput { get; }

    Stream StandardOutput { get; }

    Stream StandardError { get; }

    /// <summary>Sends a signal to the program. Ended already is success.</summary>
    Task SignalAsync(GuestSignal signal, CancellationToken cancellationToken);

    /// <summary>
    /// Ends when the program ends, which may be before the end of its output when a descendant holds the pipes. May be called often and by many.
    /// Cancelling the wait does not touch the program.
    /// </summary>
    Task<ExitStatus> WaitAsync(CancellationToken cancellationToken);
}

public enum GuestSignal
{
    Hangup = 1,
    Interrupt = 2,
    Quit = 3,
    Kill = 9,
    User1 = 10,
    User2 = 12,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

/// <param name="Code">The exit code; 128 + n when signal n ended it, as a shell says it.</param>
public sealed record ExitStatus(int Code, ExitCause Cause)
{
    public bool Succeeded => Code == 0 && Cause == ExitCause.Exited;
}

public enum ExitCause
{
    /// <summary>By itself, or by a signal.</summary>
    Exited,

    TimedOut,
    OutputLimitReached,

    /// <summary>The sandbox ended while it ran.</summary>
    SandboxStopped,
}
