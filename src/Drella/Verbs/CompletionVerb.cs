using System.CommandLine;
using Drella.Terminal;

namespace Drella.Verbs;

/// <summary><c>completion</c>: a script for the shell, made from the tree of verbs.</summary>
internal static class CompletionVerb
{
    public static Command Build(Shell shell, RootCommand root)
    {
        var kind = new Argument<string>("shell") { Description = "bash, zsh or fish" };
        kind.AcceptOnlyFromAmong("bash", "zsh", "fish");
        return shell.Verb("completion", "Print completions for a shell", call =>
        {
            call.Speaker.Output.Write(Completions.Script("drella", call.Value(kind)!, root));
            return Task.FromResult(ExitCode.Ok);
        }, kind);
    }
}
