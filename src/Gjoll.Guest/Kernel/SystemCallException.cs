namespace Gjoll.Guest.Kernel;

/// <summary>A system call failed; the message names what was tried.</summary>
internal sealed class SystemCallException(string attempt, int error) : Exception($"{attempt}: {Errno.Words(error)}")
{
    public int Error { get; } = error;
}
