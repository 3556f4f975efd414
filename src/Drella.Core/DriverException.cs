namespace Drella.Core;

/// <summary>
/// The world failed: a forge, a disk, a sandbox or a network did not do what was asked. Thrown by drivers only;
/// the engine's one retry policy decides what follows. Never thrown because the work is bad, nor because we are wrong.
/// </summary>
/// <param name="isTransient">True when the same call may succeed later without anyone changing anything.</param>
/// <param name="message">What was attempted and what came back, for an operator. May hold host details; it never goes to a guest.</param>
public sealed class DriverException(bool isTransient, string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>True when the same call may succeed later.</summary>
    public bool IsTransient { get; } = isTransient;

    /// <summary>The earliest moment at which a retry makes sense, as the other side said; null when it did not say.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Which kind of failure, for decisions that depend on it.</summary>
    public DriverFailure Failure { get; init; } = DriverFailure.Unavailable;
}

/// <summary>The kinds of failure that decisions tell apart.</summary>
public enum DriverFailure
{
    /// <summary>No answer, or an answer that says to come again.</summary>
    Unavailable,

    /// <summary>Absent, or hidden from us: forges do not tell the two apart.</summary>
    NotFoundOrNoAccess,

    /// <summary>Known and refused.</summary>
    Forbidden,

    /// <summary>The state moved: a head is elsewhere, a name is taken.</summary>
    Conflict,

    /// <summary>The request itself was wrong.</summary>
    Invalid,

    /// <summary>Too many requests; see <see cref="DriverException.NotBefore"/>.</summary>
    Throttled,

    /// <summary>A local resource is used up: disk, memory, processes.</summary>
    Exhausted,
}
