namespace Drella.Terminal;

/// <summary>What <c>drella</c> exits with; documented in <c>docs/formats/cli.md</c>.</summary>
internal enum ExitCode
{
    Ok = 0,

    /// <summary>It was tried and did not work.</summary>
    Failed = 1,

    /// <summary>The command line or the configuration is wrong.</summary>
    Usage = 2,

    /// <summary>What was named is not there.</summary>
    NotFound = 3,

    /// <summary>No daemon runs on this data folder.</summary>
    NoDaemon = 4,

    /// <summary>The daemon, or the state of things, says no.</summary>
    Refused = 5,

    /// <summary>A check found something: doctor, verify, lint.</summary>
    CheckFailed = 6,

    Interrupted = 130,
}

/// <summary>A verb cannot go on; the message says what, where and what to do.</summary>
internal sealed class VerbFailure(ExitCode code, string message) : Exception(message)
{
    public ExitCode Code { get; } = code;
}
