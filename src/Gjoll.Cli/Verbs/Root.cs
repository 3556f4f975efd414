using System.CommandLine;
using Gjoll.Cli.Terminal;

namespace Gjoll.Cli.Verbs;

/// <summary>The table of contents of the command line.</summary>
internal static class Root
{
    public static RootCommand Build(TextWriter output, TextWriter talk)
    {
        var shell = new Shell(output, talk);
        var root = new RootCommand("Sandboxes with nothing to steal and nowhere to go.");
        root.Options.Add(shell.JsonOption);
        root.Options.Add(shell.VerboseOption);
        Command[] verbs =
        [
            .. LifeVerbs.All(shell),
            .. ListVerbs.All(shell),
            SshVerb.Build(shell),
            CopyVerb.Build(shell),
            .. GitVerbs.All(shell),
            ForwardVerb.Build(shell),
            ProxyVerb.Build(shell),
            .. SnapshotVerbs.All(shell),
            LogsVerb.Build(shell),
            ImageVerbs.Build(shell),
            DoctorVerb.Build(shell),
            CollectVerb.Build(shell),
        ];
        foreach (var verb in verbs)
        {
            root.Subcommands.Add(verb);
        }

        var kind = new Argument<string>("shell") { Description = "bash, zsh or fish" };
        kind.AcceptOnlyFromAmong("bash", "zsh", "fish");
        root.Subcommands.Add(shell.Verb("completion", "Print completions for a shell", call =>
        {
            call.Speaker.Output.Write(Completions.Script("gjoll", call.Value(kind)!, root));
            return Task.FromResult(ExitCode.Ok);
        }, kind));
        return root;
    }
}
