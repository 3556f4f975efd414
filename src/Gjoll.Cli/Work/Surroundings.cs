using Gjoll.Cli.Terminal;

namespace Gjoll.Cli.Work;

/// <summary>What the variables of whoever runs this say.</summary>
internal static class Surroundings
{
    /// <summary>GJOLL_HOME, else <c>gjoll</c> in XDG_DATA_HOME or <c>~/.local/share</c>.</summary>
    public static string Home()
    {
        if (Environment.GetEnvironmentVariable("GJOLL_HOME") is { Length: > 0 } home)
        {
            return Path.GetFullPath(home);
        }

        // As the standard says, a relative XDG_DATA_HOME is ignored.
        var data = Environment.GetEnvironmentVariable("XDG_DATA_HOME") is { Length: > 0 } named && Path.IsPathFullyQualified(named)
            ? named
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".local", "share");
        return Path.Combine(data, "gjoll");
    }

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
