namespace Gjoll;

/// <summary>
/// A program running in a guest. A reader that does not read makes the writer wait: at most a fixed window of bytes is under way. Members may be called
/// concurrently, each stream by one reader or writer at a time.
/// A program without <see cref="ExecSpec.Id"/> is killed with its descendants when the handle is disposed, and when the connection to the guest is lost;
/// a descendant that has detached itself may live until the sandbox stops. A kept program is only let go: the handle takes up a lost connection by itself
/// without losing or doubling a byte, and after it was disposed <see cref="ISandbox.AttachAsync"/> takes the program over. Disposing the handle of a kept
/// program that has ended, and whose output was acknowledged to its end, forgets it.
/// Where the world fails, the streams throw <see cref="IOException"/> and the other members <see cref="GjollException"/>.
/// </summary>
public interface IGuestProcess : IAsyncDisposable
{
    /// <summary>As in <see cref="ExecSpec.Id"/>.</summary>
    string? Id { get; }

    /// <summary>Its number in the guest: the guest's word, for display.</summary>
    int ProcessId { get; }

    /// <summary>Closing it gives the program the end of its input. A program that no longer reads makes writes fail with <see cref="IOException"/>.</summary>
    Stream StandardInput { get; }

    Stream StandardOutput { get; }

    Stream StandardError { get; }

    /// <summary>Up to where <see cref="StandardOutput"/> was read, counted from the start of the program, whoever read it: what to store, and to attach with.</summary>
    long OutputOffset { get; }

    /// <summary>The same of <see cref="StandardError"/>.</summary>
    long ErrorOffset { get; }

    /// <summary>Sends a signal to the program. Ended already is success.</summary>
    Task SignalAsync(GuestSignal signal, CancellationToken cancellationToken);

    /// <summary>Kills the program and its descendants, kept or not. Ended already is success. The end is seen with <see cref="WaitAsync"/>.</summary>
    Task KillAsync(CancellationToken cancellationToken);

    /// <summary>Gives the program's terminal another size. A program without a terminal is an <see cref="InvalidOperationException"/>; ended already is success.</summary>
    Task ResizeAsync(TerminalSize size, CancellationToken cancellationToken);

    /// <summary>
    /// Of a kept program: its output up to these offsets is stored where nothing can take it, so that the guest may forget it. Offsets never go back (a
    /// smaller one changes nothing) nor beyond what was read (<see cref="ArgumentOutOfRangeException"/>). A program that is not kept needs none: reading
    /// acknowledges. When the connection is lost the acknowledgement is repeated with the next attach.
    /// </summary>
    Task AcknowledgeAsync(long output, long error, CancellationToken cancellationToken);

    /// <summary>
    /// Ends when the program ends, which may be before the end of its output when a descendant holds the pipes. May be called often and by many.
    /// Cancelling the wait does not touch the program. Fails with <see cref="GjollException"/> when the end cannot be known: the connection was lost and the
    /// program was not kept, or another handle has attached to it.
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
