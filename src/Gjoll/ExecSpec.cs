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

    /// <summary>
    /// When set the program is kept under this name: 1 to 64 of <c>A-Z a-z 0-9 - _ .</c>, unique in the sandbox until it is forgotten. It outlives its
    /// handle, the connection and the host process; <see cref="ISandbox.AttachAsync"/> finds it. Its output is held in the guest until it is
    /// acknowledged, and it waits when too much of it is held. Null: the program ends with its handle, or with the connection.
    /// </summary>
    public string? Id { get; init; }

    /// <summary>When set the program gets a terminal of this size: its output and error come as one stream, and standard error is at its end.</summary>
    public TerminalSize? Terminal { get; init; }

    /// <summary>As root of the guest. A provider whose guest has no root refuses.</summary>
    public bool AsRoot { get; init; }
}

/// <summary>Each from 1 to 65535.</summary>
public sealed record TerminalSize(int Columns, int Rows);
