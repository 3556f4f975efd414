namespace Gjoll.Cli.Terminal;

/// <summary>What <c>gjoll</c> exits with; documented in <c>docs/formats/gjoll-cli.md</c>. The numbers that <c>drella</c> has too mean the same.</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>It was tried and did not work.</summary>
    Failed = 1,

    /// <summary>The command line or an environment is wrong.</summary>
    Usage = 2,

    /// <summary>What was named is not there.</summary>
    NotFound = 3,

    /// <summary>The state of things says no.</summary>
    Refused = 5,

    /// <summary>A check found something.</summary>
    CheckFailed = 6,

    Interrupted = 130,

    /// <summary>Of <c>ssh</c>: the failure is the command's own, not that of the program in the guest.</summary>
    NoProgram = 255,
}

/// <summary>A verb cannot go on; the message says what, where and what to do.</summary>
internal sealed class VerbFailure(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code { get; } = code;
}
