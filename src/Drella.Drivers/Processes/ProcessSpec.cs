namespace Drella.Drivers.Processes;

/// <summary>One host program to run: an argument list, never a command line, and the whole of its environment.</summary>
public sealed record ProcessSpec
{
    /// <summary>Name looked up on the PATH of the daemon, or an absolute path.</summary>
    public required string Program { get; init; }

    public required IReadOnlyList<string> Arguments { get; init; }

    /// <summary>Added to the runner's base environment. Nothing of the daemon's own environment is inherited.</summary>
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string? WorkingFolder { get; init; }

    /// <summary>Fed to standard input, which is then closed; null closes it at once.</summary>
    public Stream? Input { get; init; }

    /// <summary>Takes standard output as it comes; null collects it in <see cref="ProcessResult.Output"/>.</summary>
    public Stream? Output { get; init; }

    /// <summary>Most bytes of standard output; one more ends the process with <see cref="Core.DriverFailure.Exhausted"/>.</summary>
    public long MaxOutput { get; init; } = 32L << 20;

    /// <summary>Time it may take; after that its tree is ended and the failure is transient.</summary>
    public TimeSpan Timeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>Time between asking it to end (SIGTERM) and killing its whole tree.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Program and the first arguments for messages; never the environment, which may hold credentials.</summary>
    public string Title => string.Join(' ', Arguments.Take(3).Prepend(Path.GetFileName(Program)));
}

/// <param name="ExitCode">As the system gives it; 128 + n after signal n.</param>
/// <param name="Output">Standard output, empty when <see cref="ProcessSpec.Output"/> took it.</param>
/// <param name="ErrorTail">The last part of standard error, cleaned of control characters.</param>
public sealed record ProcessResult(int ExitCode, ReadOnlyMemory<byte> Output, string ErrorTail)
{
    public bool IsSuccess => ExitCode == 0;

    /// <summary>Standard output as text; bytes that are not UTF-8 become replacement characters.</summary>
    public string Text => System.Text.Encoding.UTF8.GetString(Output.Span);
}
