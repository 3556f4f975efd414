namespace Drella.Core.Sandboxes;

/// <summary>
/// Makes and ends sandboxes. Thread-safe across names; calls for one name are made one at a time by the job that owns it.
/// Every method is idempotent; errors are <see cref="DriverException"/>.
/// </summary>
public interface ISandboxHost
{
    /// <summary>Which provider is at work and, in plain sentences, what it does not contain on this machine.</summary>
    Task<SandboxHostReport> ProbeAsync(CancellationToken cancellationToken);

    /// <summary>Finds the sandbox of that name or makes it, and starts it when it is stopped.</summary>
    Task<ISandbox> EnsureRunningAsync(SandboxRequest request, CancellationToken cancellationToken);

    /// <summary>Stops it and keeps its disk; success when absent or stopped.</summary>
    Task StopAsync(SandboxName name, CancellationToken cancellationToken);

    /// <summary>Ends it and frees everything it held; success when absent.</summary>
    Task DestroyAsync(SandboxName name, CancellationToken cancellationToken);

    /// <summary>Every sandbox that exists, running or not.</summary>
    Task<IReadOnlyList<SandboxState>> ListAsync(CancellationToken cancellationToken);

    /// <summary>Destroys every sandbox, and everything left of one, whose name is not in <paramref name="keep"/>. Returns what went.</summary>
    Task<IReadOnlyList<string>> SweepAsync(IReadOnlySet<SandboxName> keep, CancellationToken cancellationToken);
}

/// <summary>Name of a sandbox: job and attempt, such as <c>j0123456789ab-1</c>.</summary>
public readonly record struct SandboxName(string Value)
{
    public override string ToString() => Value;
}

public sealed record SandboxHostReport(string Provider, bool Works, string? Problem, string? Remedy, IReadOnlyList<string> NotContained)
{
    /// <summary>Why it is this provider and not a stronger one, and what else a person should know of it, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];
}

/// <param name="Name">The sandbox.</param>
/// <param name="IsRunning">False when it is stopped and only its disk is kept.</param>
/// <param name="CreatedAt">When it was made.</param>
/// <param name="Image">What it booted from, by digest; null where the provider has no images.</param>
public sealed record SandboxState(SandboxName Name, bool IsRunning, DateTimeOffset CreatedAt, string? Image = null);

/// <summary>What a sandbox is to be.</summary>
public sealed record SandboxRequest
{
    public required SandboxName Name { get; init; }

    public required SandboxLimits Limits { get; init; }

    /// <summary>Host unix sockets, as loopback ports of the guest. Nothing else is reachable.</summary>
    public required IReadOnlyList<Doorway> Doorways { get; init; }

    /// <summary>Agents whose programs must be present, by adapter id.</summary>
    public required IReadOnlyList<string> Agents { get; init; }
}

/// <summary>One way out: connections to <c>127.0.0.1:GuestPort</c> inside arrive at the unix socket outside.</summary>
public sealed record Doorway(int GuestPort, string HostSocketPath);

/// <summary>Bounds of one sandbox. Bytes and counts.</summary>
public sealed record SandboxLimits(long MemoryBytes, long DiskBytes, int MaxProcesses, double Cpus, TimeSpan Lifetime)
{
    public static SandboxLimits Default { get; } = new(4L << 30, 8L << 30, 512, 2, TimeSpan.FromHours(12));
}

/// <summary>A running sandbox. Everything that comes out of it is hostile data.</summary>
public interface ISandbox
{
    SandboxName Name { get; }

    /// <summary>Home of the agent user inside, such as <c>/home/agent</c>.</summary>
    string Home { get; }

    /// <summary>Folder inside that holds the work.</summary>
    string Workspace { get; }

    /// <summary>Folder inside that holds the program of an agent.</summary>
    string AgentFolder(string agent);

    /// <summary>Starts a program inside, as the agent user. Only <paramref name="spec"/>'s environment is given to it.</summary>
    Task<IGuestProcess> StartAsync(GuestCommand spec, CancellationToken cancellationToken);

    /// <summary>Writes a file inside, making its folders.</summary>
    Task WriteFileAsync(string path, Stream content, CancellationToken cancellationToken);

    /// <summary>Reads a file inside through the guest, at most <paramref name="maxBytes"/>; <see cref="DriverFailure.Exhausted"/> when it is longer.</summary>
    Task ReadFileAsync(string path, long maxBytes, Stream destination, CancellationToken cancellationToken);
}

public sealed record GuestCommand
{
    public required IReadOnlyList<string> Command { get; init; }

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public string? WorkingFolder { get; init; }
}

/// <summary>A program running inside. Streams have back-pressure: a reader that stops stops the program. Disposing kills it.</summary>
public interface IGuestProcess : IAsyncDisposable
{
    Stream StandardInput { get; }

    Stream StandardOutput { get; }

    Stream StandardError { get; }

    /// <summary>Asks it to end (SIGTERM).</summary>
    Task TerminateAsync(CancellationToken cancellationToken);

    /// <summary>Completes when it has ended. The code says little: agents exit 0 after being interrupted.</summary>
    Task<GuestExit> WaitAsync(CancellationToken cancellationToken);
}

public sealed record GuestExit(int? Code, int? Signal);

public static class SandboxExtensions
{
    /// <summary>Runs a short command to its end and returns what it said, at most <paramref name="maxOutput"/> bytes of each stream.</summary>
    public static async Task<GuestResult> RunAsync(
        this ISandbox sandbox, GuestCommand command, int maxOutput, CancellationToken cancellationToken)
    {
        await using var process = await sandbox.StartAsync(command, cancellationToken);
        process.StandardInput.Close();
        var output = ReadTailAsync(process.StandardOutput, maxOutput, cancellationToken);
        var error = ReadTailAsync(process.StandardError, maxOutput, cancellationToken);
        var exit = await process.WaitAsync(cancellationToken);
        return new GuestResult(exit, await output, await error);
    }

    private static async Task<string> ReadTailAsync(Stream stream, int maxBytes, CancellationToken cancellationToken)
    {
        var kept = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            kept.Write(buffer, 0, (int)Math.Min(read, Math.Max(0, maxBytes - kept.Length)));
        }

        return System.Text.Encoding.UTF8.GetString(kept.GetBuffer(), 0, (int)kept.Length);
    }
}

public sealed record GuestResult(GuestExit Exit, string Output, string Error)
{
    public bool IsSuccess => Exit.Code == 0;
}
