namespace Gjoll;

/// <summary>A program to run in a guest. Nothing is inherited from the host, and nothing here shows on a command line of the host but <see cref="Command"/>.</summary>
public sealed record ExecSpec
{
    /// <summary>Program and arguments; never a shell line. The program is looked up in the <c>PATH</c> of <see cref="Environment"/>.</summary>
    public required IReadOnlyList<string> Command { get; init; }

    /// <summary>The whole environment, on top of <c>HOME</c>, <c>USER</c>, <c>PATH</c> and <c>LANG</c>, which it may replace. Names are C identifiers.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string WorkingFolder { get; init; } = "/work";

    /// <summary>False: standard input is at its end from the start.</summary>
    public bool OpenStandardInput { get; init; }

    /// <summary>After this the process is killed; null means the sandbox's own lifetime only.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>When standard output and error together have given this many bytes the process is killed; null means no limit.</summary>
    public long? OutputLimit { get; init; }
}
