using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;

namespace Gjoll.Cli.Verbs;

/// <summary>What every verb has: the global options, and one place that turns what happened into an exit code.</summary>
internal sealed class Shell(TextWriter output, TextWriter talk)
{
    public Option<string?> ProviderOption { get; } = OneOf("--provider", "auto, qemu, bubblewrap or opentofu (default: what the environment says)", "auto", "qemu", "bubblewrap", "opentofu");

    public Option<bool> JsonOption { get; } = new("--json") { Description = "One JSON document on standard output", Recursive = true };

    public Option<bool> VerboseOption { get; } = new("--verbose", "-v") { Description = "Say more on standard error", Recursive = true };

    public static Argument<string> Name() => new("name") { Description = "A sandbox" };

    /// <summary>A verb with its handler.</summary>
    public Command Verb(string name, string description, Func<Call, Task<ExitCode>> handler, params Symbol[] symbols)
    {
        var command = new Command(name, description);
        foreach (var symbol in symbols)
        {
            switch (symbol)
            {
                case Option option:
                    command.Options.Add(option);
                    break;
                case Argument argument:
                    command.Arguments.Add(argument);
                    break;
                case Command inner:
                    command.Subcommands.Add(inner);
                    break;
            }
        }

        command.SetAction((parsed, cancellationToken) => RunAsync(handler, parsed, cancellationToken));
        return command;
    }

    /// <summary>A group of verbs.</summary>
    public static Command Group(string name, string description, params Command[] verbs)
    {
        var command = new Command(name, description);
        foreach (var verb in verbs)
        {
            command.Subcommands.Add(verb);
        }

        return command;
    }

    private async Task<int> RunAsync(Func<Call, Task<ExitCode>> handler, ParseResult parsed, CancellationToken cancellationToken)
    {
        var speaker = new Speaker(output, talk, parsed.GetValue(JsonOption));
        var verbose = parsed.GetValue(VerboseOption);
        await using var house = new House(GjollHome.Folder(), speaker, verbose, TimeProvider.System);
        return await RunAsync(handler, new Call(this, parsed, speaker, house, verbose, cancellationToken));
    }

    [SuppressMessage("Design", "CA1031", Justification = "Main: whatever flies this far becomes a sentence and an exit code.")]
    private static async Task<int> RunAsync(Func<Call, Task<ExitCode>> handler, Call call)
    {
        try
        {
            return (int)await handler(call);
        }
        catch (VerbFailure failure)
        {
            call.Speaker.Say(failure.Message);
            return (int)failure.Code;
        }
        catch (GjollException failure)
        {
            call.Speaker.Say(call.Verbose ? failure.ToString() : failure.Message);
            return (int)ExitCode.Failed;
        }
        catch (ArgumentException wrong)
        {
            call.Speaker.Say(call.Verbose ? wrong.ToString() : wrong.Message);
            return (int)ExitCode.Usage;
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            return (int)ExitCode.Interrupted;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            call.Speaker.Say(call.Verbose ? failure.ToString() : failure.Message);
            return (int)ExitCode.Failed;
        }
        catch (Exception error)
        {
            call.Speaker.Say(call.Verbose ? error.ToString() : $"gjoll met a fault of its own: {error.GetType().Name}: {error.Message} (--verbose shows where)");
            return (int)ExitCode.Failed;
        }
    }

    private static Option<string?> OneOf(string name, string description, params string[] known)
    {
        var option = new Option<string?>(name) { Description = description };
        option.AcceptOnlyFromAmong(known);
        return option;
    }
}

/// <summary>One run of a verb.</summary>
internal sealed record Call(Shell Shell, ParseResult Parsed, Speaker Speaker, House House, bool Verbose, CancellationToken Cancellation)
{
    public T? Value<T>(Option<T> option) => Parsed.GetValue(option);

    public T? Value<T>(Argument<T> argument) => Parsed.GetValue(argument);

    public SandboxName Name(Argument<string> argument) => Names.Parse(Value(argument)!);
}
