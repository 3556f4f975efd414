using System.CommandLine;

namespace Drella.Verbs;

/// <summary>The table of contents of the command line.</summary>
internal static class Root
{
    public static RootCommand Build(TextWriter output, TextWriter talk)
    {
        var shell = new Shell(output, talk);
        var root = new RootCommand("A lights-out software factory: a merged spec goes in, a merged pull request comes out.");
        root.Options.Add(shell.ConfigOption);
        root.Options.Add(shell.JsonOption);
        root.Options.Add(shell.VerboseOption);
        Command[] verbs =
        [
            .. DaemonVerbs.All(shell),
            .. SetupVerbs.All(shell),
            DoctorVerb.Build(shell),
            .. JobVerbs.All(shell),
            .. SpecVerbs.All(shell),
            .. TapeVerbs.All(shell),
            .. EvidenceVerbs.All(shell),
        ];
        foreach (var verb in verbs)
        {
            root.Subcommands.Add(verb);
        }

        root.Subcommands.Add(CompletionVerb.Build(shell, root));
        return root;
    }
}
