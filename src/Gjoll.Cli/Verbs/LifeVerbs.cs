using System.CommandLine;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Environments;

namespace Gjoll.Cli.Verbs;

/// <summary>The life of a sandbox: up, claim, start, stop, down.</summary>
internal static class LifeVerbs
{
    private const int DefaultGrace = 10;

    public static IEnumerable<Command> All(Shell shell) => [Up(shell), Claim(shell), Start(shell), Stop(shell), Down(shell)];

    private static Command Up(Shell shell)
    {
        var (environment, name, noInit) = Arguments();
        return shell.Verb(
            "up",
            "Make a sandbox from an environment and start it",
            call => RaiseAsync(call, call.Value(environment)!, call.Value(name), call.Value(noInit), warm: null),
            environment, name, noInit, shell.ProviderOption);
    }

    private static Command Claim(Shell shell)
    {
        var (environment, name, noInit) = Arguments();
        return shell.Verb(
            "claim",
            "As up, but only as a copy of a machine that has booted already; makes the template when there is none",
            call => RaiseAsync(call, call.Value(environment)!, call.Value(name), call.Value(noInit), WarmStart.Demand),
            environment, name, noInit, shell.ProviderOption);
    }

    private static Command Start(Shell shell)
    {
        var names = SomeNames("Sandboxes");
        return shell.Verb("start", "Start stopped sandboxes", call => EachAsync(call, names, async (name, sandbox) =>
        {
            await new DoorKeeping(call.House, call.Verbose).EnsureAsync(name, Doors.EnvironmentOf(call.House.Demand(name), call.House), call.Cancellation);
            await new Progress(call.Speaker, call.House.Time).DoAsync($"starting {name}", () => sandbox.StartAsync(call.Cancellation));
        }), names);
    }

    private static Command Stop(Shell shell)
    {
        var names = SomeNames("Sandboxes");
        var grace = new Option<int>("--grace") { Description = "Seconds for programs to end by themselves", DefaultValueFactory = _ => DefaultGrace };
        grace.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<int>() is < 0 or > 86400)
            {
                result.AddError("--grace is a number of seconds from 0 to 86400.");
            }
        });
        return shell.Verb("stop", "Stop running sandboxes; what they hold is kept", call => EachAsync(call, names, async (name, sandbox) =>
        {
            await new Progress(call.Speaker, call.House.Time).DoAsync($"stopping {name}", () => sandbox.StopAsync(TimeSpan.FromSeconds(call.Value(grace)), call.Cancellation));
            await new DoorKeeping(call.House, call.Verbose).EndAsync(name, call.Cancellation);
        }), names, grace);
    }

    private static Command Down(Shell shell)
    {
        var names = new Argument<string[]>("names") { Description = "Sandboxes", Arity = ArgumentArity.ZeroOrMore };
        var all = new Option<bool>("--all") { Description = "Every sandbox" };
        return shell.Verb("down", "Destroy sandboxes with all that they hold", async call =>
        {
            var named = call.Value(names) ?? [];
            if ((named.Length == 0) != call.Value(all))
            {
                throw new VerbFailure(ExitCode.Usage, "gjoll down: name sandboxes, or say --all.");
            }

            var chosen = call.Value(all) ? call.House.Instances.Names() : [.. named.Select(Names.Parse)];
            foreach (var name in chosen)
            {
                await DestroyAsync(call, name);
            }

            call.Speaker.Data(new { removed = chosen.Select(name => name.Value) }, writer =>
            {
                foreach (var name in chosen)
                {
                    writer.WriteLine(name);
                }
            });
            return ExitCode.Ok;
        }, names, all);
    }

    private static async Task DestroyAsync(Call call, SandboxName name)
    {
        call.House.Demand(name);
        using var held = await call.House.LockAsync(name, call.Cancellation);
        if (call.House.Instances.Read(name) is not { } instance)
        {
            // Somebody else removed it while this waited: what was asked for is so.
            return;
        }

        await new Progress(call.Speaker, call.House.Time).DoAsync(
            $"removing {name}", () => call.House.Provider(instance.Provider).DestroyAsync(name, call.Cancellation));
        await new DoorKeeping(call.House, call.Verbose).EndAsync(name, call.Cancellation);
        await call.House.Instances.RemoveAsync(name, held, call.Cancellation);
    }

    private static async Task<ExitCode> RaiseAsync(Call call, string word, string? wanted, bool noInit, WarmStart? warm)
    {
        var file = EnvironmentFiles.Find(call.House.Home, word);
        var (environment, text) = await EnvironmentFiles.ReadAsync(file, call.Cancellation);
        if (warm is { } start)
        {
            environment = environment with { Warm = start };
        }

        var name = wanted is null && !SandboxName.TryParse(environment.Name, out _)
            ? throw new VerbFailure(ExitCode.Usage, $"The environment's name '{TerminalText.Line(environment.Name, 60)}' cannot be a sandbox's ({Names.Rule}): give one with -n.")
            : Names.Parse(wanted ?? environment.Name);
        var sandbox = await new Raising(call.House, call.Speaker, call.Verbose).RaiseAsync(
            new Raising.Order(name, environment, file, text, call.Value(call.Shell.ProviderOption), !noInit), call.Cancellation);
        Show(call, [Status.Of(call.House.Demand(name), await sandbox.InspectAsync(call.Cancellation), isAbandoned: false)], one: true);
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> EachAsync(Call call, Argument<string[]> names, Func<SandboxName, ISandbox, Task> work)
    {
        var chosen = call.Value(names)!.Select(Names.Parse).ToList();
        foreach (var name in chosen)
        {
            call.House.Demand(name);
        }

        var shown = new List<Status>();
        foreach (var name in chosen)
        {
            using var held = await call.House.LockAsync(name, call.Cancellation);
            var sandbox = await call.House.FindAsync(name, call.Cancellation);
            await work(name, sandbox);
            shown.Add(Status.Of(call.House.Demand(name), await sandbox.InspectAsync(call.Cancellation), isAbandoned: false));
        }

        Show(call, shown, one: false);
        return ExitCode.Ok;
    }

    private static void Show(Call call, IReadOnlyList<Status> sandboxes, bool one)
    {
        void Plain(TextWriter writer)
        {
            foreach (var sandbox in sandboxes)
            {
                writer.WriteLine(TerminalText.Show($"{sandbox.Name}  {sandbox.State}  {sandbox.Provider}"));
            }
        }

        if (one)
        {
            call.Speaker.Data(sandboxes[0], Plain);
        }
        else
        {
            call.Speaker.Data(sandboxes, Plain);
        }
    }

    private static (Argument<string> Environment, Option<string?> Name, Option<bool> NoInit) Arguments() => (
        new Argument<string>("environment") { Description = "A file, or the name of an environment", DefaultValueFactory = _ => EnvironmentFiles.Default },
        new Option<string?>("--name", "-n") { Description = "The sandbox's name (default: that of the environment)" },
        new Option<bool>("--no-init") { Description = "Leave the init script out" });

    private static Argument<string[]> SomeNames(string description) => new("names") { Description = description, Arity = ArgumentArity.OneOrMore };
}
