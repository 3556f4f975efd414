using System.CommandLine;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;

namespace Gjoll.Cli.Verbs;

/// <summary><c>ssh</c>: a shell or a program in the guest. No SSH is spoken; the name is what people look for.</summary>
internal static class SshVerb
{
    private const string LoginShell = "for shell in /bin/bash /bin/sh; do [ -x \"$shell\" ] && exec \"$shell\" -l; done";

    public static Command Build(Shell shell)
    {
        var name = Shell.Name();
        var command = new Argument<string[]>("command") { Description = "Program and arguments, after --; without one a shell", Arity = ArgumentArity.ZeroOrMore };
        var terminal = new Option<bool>("--tty", "-t") { Description = "Give the program a terminal, also when one was named" };
        var root = new Option<bool>("--root") { Description = "As root of the guest" };
        var folder = new Option<string?>("--folder") { Description = "Where it starts (default: the workspace)" };
        var wakeup = new Option<bool>("--wakeup") { Description = "Start a stopped sandbox for it, and stop it after" };
        return shell.Verb("ssh", "A shell in the guest, or a program with its exit code", async call =>
        {
            if (call.Speaker.IsJson)
            {
                throw new VerbFailure(ExitCode.Usage, "gjoll ssh: what the program writes is the output, and no JSON document.");
            }

            var sandbox = await ReadyAsync(call, name, wakeup);
            try
            {
                var exit = await new GuestSession(sandbox.Sandbox, call.House.Time).RunAsync(
                    Spec(call, call.Value(command) ?? [], call.Value(terminal), call.Value(root), call.Value(folder), sandbox.Variables), call.Cancellation);
                if (exit.Cause == ExitCause.SandboxStopped)
                {
                    throw new VerbFailure(ExitCode.NoProgram, "The sandbox was stopped while the program ran.");
                }

                return (ExitCode)exit.Code;
            }
            catch (GjollException failure)
            {
                throw new VerbFailure(ExitCode.NoProgram, failure.Message);
            }
            finally
            {
                if (sandbox.WasWoken)
                {
                    using var bounded = new CancellationTokenSource(TimeSpan.FromMinutes(1), call.House.Time);
                    using var held = await call.House.LockAsync(sandbox.Sandbox.Name, bounded.Token);
                    await sandbox.Sandbox.StopAsync(TimeSpan.FromSeconds(10), bounded.Token);
                    await new DoorKeeping(call.House, call.Verbose).EndAsync(sandbox.Sandbox.Name, bounded.Token);
                }
            }
        }, name, command, terminal, root, folder, wakeup);
    }

    private static async Task<(ISandbox Sandbox, Dictionary<string, string> Variables, bool WasWoken)> ReadyAsync(Call call, Argument<string> argument, Option<bool> wakeup)
    {
        var name = call.Name(argument);
        var variables = Doors.Variables(Doors.EnvironmentOf(call.House.Demand(name), call.House));
        if (!call.Value(wakeup))
        {
            return (await call.House.FindRunningAsync(name, call.Cancellation), variables, false);
        }

        using var held = await call.House.LockAsync(name, call.Cancellation);
        var sandbox = await call.House.FindAsync(name, call.Cancellation);
        var sleeps = (await sandbox.InspectAsync(call.Cancellation)).State != SandboxState.Running;
        if (sleeps)
        {
            await new DoorKeeping(call.House, call.Verbose).EnsureAsync(name, Doors.EnvironmentOf(call.House.Demand(name), call.House), call.Cancellation);
            await sandbox.StartAsync(call.Cancellation);
        }

        return (sandbox, variables, sleeps);
    }

    private static ExecSpec Spec(Call call, string[] command, bool wantsTerminal, bool asRoot, string? folder, Dictionary<string, string> variables)
    {
        var withTerminal = wantsTerminal ? RawTerminal.InputIsTerminal : command.Length == 0 && RawTerminal.IsInteractive;
        if (wantsTerminal && !withTerminal)
        {
            call.Speaker.Say("there is no terminal here to give to the program");
        }

        if (withTerminal)
        {
            variables.TryAdd("TERM", Surroundings.TerminalKind());
        }

        var spec = new ExecSpec
        {
            Command = command.Length > 0 ? command : withTerminal ? ["/bin/sh", "-c", LoginShell] : ["/bin/sh"],
            Environment = variables,
            Terminal = withTerminal ? RawTerminal.Size() : null,
            AsRoot = asRoot,
        };
        return folder is null ? spec : spec with { WorkingFolder = GuestPath.Of(folder) };
    }
}
