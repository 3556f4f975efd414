using System.Text;
using Drella.Core;
using Drella.Drivers.Processes;

namespace Drella.Drivers.Git;

/// <summary>One run of Git: arguments after the fixed options, and what goes in and may come out.</summary>
internal sealed record GitCall(string GitDir, params string[] Arguments)
{
    /// <summary>Program and arguments that Git runs under; empty for none.</summary>
    public IReadOnlyList<string> Wrapper { get; init; } = [];

    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    /// <summary>Options such as <c>fetch.fsck.x=warn</c>, each given with <c>-c</c>.</summary>
    public IReadOnlyList<string> Settings { get; init; } = [];

    /// <summary>Written to the standard input, which is then closed; null for an empty one.</summary>
    public Func<Stream, CancellationToken, Task>? Input { get; init; }

    /// <summary>Reads the standard output; null collects it up to <see cref="MaxOutput"/>. Returning early ends the process.</summary>
    public Func<Stream, CancellationToken, Task>? Output { get; init; }

    public int MaxOutput { get; init; } = 64 << 20;

    public required TimeSpan Timeout { get; init; }
}

/// <param name="ExitCode">128 + n when a signal ended it.</param>
/// <param name="WasCut">True when there was more output than allowed; the process was ended then.</param>
internal sealed record GitResult(int ExitCode, byte[] Output, string ErrorTail, bool WasCut)
{
    public string Text => Encoding.UTF8.GetString(Output).TrimEnd('\n');
}

/// <summary>
/// The only place that starts Git. The environment is built from nothing and the options below come before every command, so that no
/// file of the machine, of a user or of a repository decides what else runs.
/// </summary>
internal sealed class GitCommand(TimeProvider time)
{
    private const int ErrorTail = 4096;

    // The environment is the one below and nothing else.
    private readonly ProcessRunner runner = new(time, new Dictionary<string, string>());

    private static readonly string[] FixedSettings =
    [
        "core.hooksPath=/dev/null",
        "core.fsmonitor=false",
        "core.attributesFile=/dev/null",
        "protocol.allow=never",
        "protocol.file.allow=always",
        "transfer.fsckObjects=true",
        "transfer.bundleURI=false",
        "submodule.recurse=false",
        "safe.bareRepository=explicit",
        "fetch.unpackLimit=1",
        "credential.helper=",
        "core.askPass=/bin/false",
        "gc.auto=0",
        "maintenance.auto=false",
        "http.followRedirects=false",
    ];

    private static readonly Dictionary<string, string> FixedEnvironment = new()
    {
        ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
        ["HOME"] = "/nonexistent",
        ["LC_ALL"] = "C",
        ["GIT_CONFIG_NOSYSTEM"] = "1",
        ["GIT_CONFIG_GLOBAL"] = "/dev/null",
        ["GIT_ATTR_NOSYSTEM"] = "1",
        ["GIT_TERMINAL_PROMPT"] = "0",
        ["GIT_NO_LAZY_FETCH"] = "1",
        ["GIT_NO_REPLACE_OBJECTS"] = "1",
        ["GIT_OPTIONAL_LOCKS"] = "0",
        ["GIT_ASKPASS"] = "/bin/false",
        ["GIT_ALLOW_PROTOCOL"] = "file",
    };

    /// <summary>Runs, and returns whatever the exit code is.</summary>
    public async Task<GitResult> RunAsync(GitCall call, CancellationToken cancellationToken)
    {
        using var deadline = new CancellationTokenSource(call.Timeout, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancellationToken);
        await using var process = runner.Start(Line(call));
        try
        {
            return await ConverseAsync(process, call, linked.Token);
        }
        catch (OperationCanceledException) when (deadline.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new DriverException(true, $"git {call.Arguments[0]} took longer than {call.Timeout}") { Failure = DriverFailure.Exhausted };
        }
    }

    /// <summary>Runs, and fails when the exit code is not 0.</summary>
    public async Task<GitResult> RunCheckedAsync(GitCall call, CancellationToken cancellationToken)
    {
        var result = await RunAsync(call, cancellationToken);
        return result.ExitCode == 0 || result.WasCut
            ? result
            : throw new DriverException(false, $"git {call.Arguments[0]} ended with {result.ExitCode}: {result.ErrorTail}");
    }

    private static async Task<GitResult> ConverseAsync(HostProcess process, GitCall call, CancellationToken cancellationToken)
    {
        var tail = new ByteTail(ErrorTail);
        var errors = tail.DrainAsync(process.StandardError, cancellationToken);
        var input = FeedAsync(process, call.Input, cancellationToken);
        var collected = new MemoryStream();
        var stdout = process.StandardOutput;
        if (call.Output is { } reader)
        {
            await reader(stdout, cancellationToken);
        }
        else
        {
            await CopyAsync(stdout, collected, call.MaxOutput, cancellationToken);
        }

        var wasCut = await stdout.ReadAsync(new byte[1], cancellationToken) > 0;
        if (wasCut)
        {
            process.Kill();
        }

        var exitCode = await process.WaitAsync(cancellationToken);
        await Task.WhenAll(input, errors);
        process.Settle();
        return new GitResult(exitCode, collected.ToArray(), tail.ToString(), wasCut);
    }

    private static ProcessSpec Line(GitCall call)
    {
        List<string> line = [.. call.Wrapper, "git", "--no-pager", "--git-dir", call.GitDir];
        foreach (var setting in FixedSettings.Concat(call.Settings))
        {
            line.AddRange(["-c", setting]);
        }

        line.AddRange(call.Arguments);
        var environment = new Dictionary<string, string>(FixedEnvironment);
        foreach (var (name, value) in call.Environment)
        {
            environment[name] = value;
        }

        return new ProcessSpec { Program = line[0], Arguments = line[1..], Environment = environment };
    }

    private static async Task FeedAsync(HostProcess process, Func<Stream, CancellationToken, Task>? input, CancellationToken cancellationToken)
    {
        try
        {
            await using var stdin = process.StandardInput;
            if (input is not null)
            {
                await input(stdin, cancellationToken);
                await stdin.FlushAsync(cancellationToken);
            }
        }
        catch (IOException)
        {
            // The process ended before it read everything; its exit code and last words tell more.
        }
    }

    private static async Task CopyAsync(Stream from, MemoryStream to, int most, CancellationToken cancellationToken)
    {
        var buffer = new byte[81920];
        while (to.Length < most)
        {
            var read = await from.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, most - to.Length)), cancellationToken);
            if (read == 0)
            {
                return;
            }

            to.Write(buffer, 0, read);
        }
    }
}
