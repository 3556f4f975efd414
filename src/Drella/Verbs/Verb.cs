using System.CommandLine;
using System.Diagnostics.CodeAnalysis;
using Drella.Configuration;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Terminal;

namespace Drella.Verbs;

/// <summary>What every verb has: the global options, and one place that turns what happened into an exit code.</summary>
internal sealed class Shell(TextWriter output, TextWriter talk)
{
    public Option<FileInfo?> ConfigOption { get; } = new("--config", "-c") { Description = "The configuration file (default: ./drella.yaml)", Recursive = true };

    public Option<bool> JsonOption { get; } = new("--json") { Description = "One JSON document on standard output", Recursive = true };

    public Option<bool> VerboseOption { get; } = new("--verbose", "-v") { Description = "Say more on standard error", Recursive = true };

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

        command.SetAction((parsed, cancellationToken) => RunAsync(handler, new Call(this, parsed, new Speaker(output, talk, parsed.GetValue(JsonOption)), cancellationToken)));
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
        catch (Daemon.StartFailure failure)
        {
            call.Speaker.Say(failure.Message);
            return (int)ExitCode.Usage;
        }
        catch (DriverException failure)
        {
            call.Speaker.Say(failure.Message);
            return (int)(failure.Failure == DriverFailure.Conflict ? ExitCode.Refused : ExitCode.Failed);
        }
        catch (OperationCanceledException) when (call.Cancellation.IsCancellationRequested)
        {
            return (int)ExitCode.Interrupted;
        }
        catch (Exception error)
        {
            call.Speaker.Say(call.Verbose ? error.ToString() : $"drella met a fault of its own: {error.GetType().Name}: {error.Message} (--verbose shows where)");
            return (int)ExitCode.Failed;
        }
    }
}

/// <summary>One run of a verb.</summary>
internal sealed record Call(Shell Shell, ParseResult Parsed, Speaker Speaker, CancellationToken Cancellation)
{
    public bool Verbose => Parsed.GetValue(Shell.VerboseOption);

    public T? Value<T>(Option<T> option) => Parsed.GetValue(option);

    public T? Value<T>(Argument<T> argument) => Parsed.GetValue(argument);

    /// <summary>A repository given on the command line, or null; what is none is not taken for absent.</summary>
    public RepoName? Repo(Option<string?> option) =>
        Value(option) is not { } text ? default(RepoName?)
        : RepoName.TryParse(text, out var repo) ? repo
        : throw new VerbFailure(ExitCode.Usage, $"{option.Name}: '{text}' is not a repository; write OWNER/NAME");

    public string ConfigFile => Parsed.GetValue(Shell.ConfigOption)?.FullName ?? Path.GetFullPath(ConfigLoader.FileName);

    /// <summary>The configuration; fails with every problem at once. Without a file the defaults hold.</summary>
    public DrellaConfig Config()
    {
        var isNamed = Parsed.GetValue(Shell.ConfigOption) is not null;
        var result = ConfigLoader.Load(ConfigFile, isOptional: !isNamed);
        return result.Config ?? throw new VerbFailure(ExitCode.Usage, $"{result.File} cannot be used:\n" + string.Join('\n', result.Problems.Select(problem => "  " + problem)));
    }
}
