namespace Gjoll.Wire;

/// <summary>Why a program of the guest ended.</summary>
public enum ExitReason : byte
{
    /// <summary>By itself or by a signal; then the code is 128 + its number.</summary>
    Exited = 0,

    TimedOut = 1,

    OutputLimit = 2,
}
