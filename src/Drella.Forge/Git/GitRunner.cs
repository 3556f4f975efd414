using System.Diagnostics;
using System.Text;

namespace Drella.Forge.Git;

/// <summary>What one Git command left behind.</summary>
internal sealed record GitResult(int ExitCode, byte[] Output, string Error)
{
    public string Text => Encoding.UTF8.GetString(Output);

    public string Line => Text.TrimEnd('\n');
}

/// <summary>A Git command failed where it had no reason to.</summary>
internal sealed class GitFailure(string message) : Exception(message);

/// <summary>Runs <c>git</c> with an argument list and a clean environment, and ends the whole process tree when the caller gives up.</summary>
internal sealed class GitRunner
{
    private readonly string? _searchPath = Environment.GetEnvironmentVariable("PATH");

    // Settings that no repository may change for the commands of the forge.
    private static readonly string[] Guards =
    [
        "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "protocol.allow=never", "-c", "gc.auto=0",
        "-c", "core.quotePath=false", "-c", "safe.directory=*", "-c", "core.bigFileThreshold=64m", "-c", "pack.threads=1",
        "-c", "pack.windowMemory=64m", "-c", "advice.graftFileDeprecated=false",
    ];

    public ProcessStartInfo Command(string? repository, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo("git")
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = repository ?? "/",
        };
        start.Environment.Clear();
        start.Environment["PATH"] = _searchPath;
        start.Environment["LC_ALL"] = "C";
        start.Environment["HOME"] = "/nonexistent";
        start.Environment["GIT_CONFIG_NOSYSTEM"] = "1";
        start.Environment["GIT_CONFIG_GLOBAL"] = "/dev/null";
        start.Environment["GIT_TERMINAL_PROMPT"] = "0";
        start.Environment["GIT_NO_LAZY_FETCH"] = "1";
        start.Environment["GIT_NO_REPLACE_OBJECTS"] = "1";
        if (repository is not null)
        {
            start.Environment["GIT_DIR"] = repository;
        }

        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
        {
            start.Environment[name] = value;
        }

        foreach (var argument in Guards.Concat(arguments))
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }

    public async Task<GitResult> RunAsync(
        string? repository,
        IEnumerable<string> arguments,
        ReadOnlyMemory<byte> input,
        IReadOnlyDictionary<string, string>? environment,
        CancellationToken cancellationToken)
    {
        using var process = Process.Start(Command(repository, arguments, environment)) ?? throw new GitFailure("git could not be started");
        try
        {
            using var output = new MemoryStream();
            var copy = process.StandardOutput.BaseStream.CopyToAsync(output, cancellationToken);
            var error = process.StandardError.ReadToEndAsync(cancellationToken);
            await FeedAsync(process, input, cancellationToken);
            await Task.WhenAll(copy, error, process.WaitForExitAsync(cancellationToken));
            return new GitResult(process.ExitCode, output.ToArray(), await error);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    private static async Task FeedAsync(Process process, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command did not want all of its input; its exit code tells why.
        }
    }
}
