namespace Gjoll;

/// <summary>
/// The world failed: a program is missing, the kernel refused, the disk is full, the sandbox is gone. The message says what was attempted,
/// and ends with the last lines the failing program wrote.
/// </summary>
public sealed class GjollException : Exception
{
    public GjollException(string message, bool isTransient = false, Exception? innerException = null)
        : base(message, innerException) => IsTransient = isTransient;

    /// <summary>True when the same call may succeed later without anybody changing anything.</summary>
    public bool IsTransient { get; }
}
