using System.CommandLine;
using Drella.Daemon;
using Drella.Terminal;
using Gjoll;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Verbs;

/// <summary>
/// <c>job shell</c>: a look inside. The daemon writes down that somebody looks and has the sandbox running; the program itself runs straight through the
/// sandbox's own channel, so that it needs this machine and the daemon's user, and nothing of it passes through the daemon.
/// </summary>
internal static class ShellVerb
{
    private const string LoginShell = "for shell in /bin/bash /bin/sh; do [ -x \"$shell\" ] && exec \"$shell\" -l; done";

    // Stopping a machine that is emulated takes its time.
    private static readonly TimeSpan Farewell = TimeSpan.FromMinutes(2);

    public static async Task<ExitCode> RunAsync(Call call, Argument<string> id, Argument<string[]> argument)
    {
        if (call.Speaker.IsJson)
        {
            throw new VerbFailure(ExitCode.Usage, "what the program writes is the output, and no JSON document; leave --json out");
        }

        var command = call.Value(argument) ?? [];
        using var client = DaemonClient.Open(call);
        var job = await client.FindAsync(call.Value(id)!, call.Cancellation);
        var visit = await client.PostAsync($"/api/jobs/{job.Id}/visit", new { command = command.Length == 0 ? null : string.Join(' ', command) }, call.Cancellation);
        try
        {
            return await EnterAsync(call, visit.GetProperty("provider").GetString()!, visit.GetProperty("sandbox").GetString()!, command);
        }
        finally
        {
            if (visit.GetProperty("woken").GetBoolean())
            {
                using var bounded = new CancellationTokenSource(Farewell, TimeProvider.System);
                await client.PostAsync($"/api/jobs/{job.Id}/visit/end", new { }, bounded.Token);
            }
        }
    }

    private static async Task<ExitCode> EnterAsync(Call call, string providerName, string name, string[] command)
    {
        var config = call.Config();
        var provider = SandboxChoice.Open(providerName, config, config.DataFolder, TimeProvider.System, NullLoggerFactory.Instance);
        try
        {
            var sandbox = await provider.FindAsync(new SandboxName(name), call.Cancellation)
                ?? throw new VerbFailure(ExitCode.NotFound, $"the sandbox {name} is not below {config.DataFolder}; run this where the daemon runs, with its configuration");
            var exit = await new GuestSession(sandbox, TimeProvider.System).RunAsync(Spec(command), call.Cancellation);
            return exit.Cause == ExitCause.SandboxStopped
                ? throw new VerbFailure(ExitCode.Failed, "the sandbox was stopped while the program ran")
                : (ExitCode)exit.Code;
        }
        catch (GjollException failure)
        {
            throw new VerbFailure(ExitCode.Failed, failure.Message);
        }
        finally
        {
            await ((provider as IAsyncDisposable)?.DisposeAsync() ?? default);
        }
    }

    private static ExecSpec Spec(string[] command)
    {
        var withTerminal = command.Length == 0 && RawTerminal.IsInteractive;
        return new ExecSpec
        {
            Command = command.Length > 0 ? command : withTerminal ? ["/bin/sh", "-c", LoginShell] : ["/bin/sh"],
            Environment = withTerminal
                ? new Dictionary<string, string> { ["TERM"] = Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } kind ? kind : "dumb" }
                : [],
            Terminal = withTerminal ? RawTerminal.Size() : null,
        };
    }
}
