using Gjoll.Cli.Terminal;

namespace Gjoll.Cli.Work;

/// <summary>Names as people type them.</summary>
internal static class Names
{
    public const string Rule = "1 to 40 of a-z, 0-9 and '-', beginning and ending with a letter or digit";

    public static SandboxName Parse(string text) => SandboxName.TryParse(text, out var name)
        ? name.Value
        : throw new VerbFailure(ExitCode.Usage, $"'{TerminalText.Line(text, 60)}' cannot be a sandbox's name: {Rule}.");

    public static SnapshotName Snapshot(string text) => SandboxName.TryParse(text, out _)
        ? new SnapshotName(text)
        : throw new VerbFailure(ExitCode.Usage, $"'{TerminalText.Line(text, 60)}' cannot be a snapshot's name: {Rule}.");
}
