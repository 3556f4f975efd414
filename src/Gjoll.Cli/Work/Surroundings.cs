using Gjoll.Cli.Terminal;

namespace Gjoll.Cli.Work;

/// <summary>What the variables of whoever runs this say.</summary>
internal static class Surroundings
{
    public static string TerminalKind() => Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } kind ? kind : "dumb";

    public static string? Variable(string name) => Environment.GetEnvironmentVariable(name);

    /// <summary>For the one program that needs the credentials of whoever runs this.</summary>
    public static IReadOnlyDictionary<string, string> All() =>
        Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>().ToDictionary(pair => (string)pair.Key, pair => (string?)pair.Value ?? "", StringComparer.Ordinal);

    /// <summary>How to start this program once more.</summary>
    public static IReadOnlyList<string> ThisProgram() => Path.GetFileName(Environment.ProcessPath) == "dotnet"
        ? [Environment.ProcessPath!, typeof(Surroundings).Assembly.Location]
        : [Environment.ProcessPath!];

    public static string CurrentFolder() => Environment.CurrentDirectory;
}
