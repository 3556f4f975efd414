using Gjoll.Cli.Terminal;
using Gjoll.Environments;

namespace Gjoll.Cli.Work;

/// <summary>Finds environments: a path as it is; a word in the user's own folder, then among those that came with the program.</summary>
internal static class EnvironmentFiles
{
    public const string Default = "default";

    private static readonly string[] Endings = [".yaml", ".yml", ".tf"];

    public static string Find(string home, string word)
    {
        if (word.Contains('/', StringComparison.Ordinal) || Endings.Any(ending => word.EndsWith(ending, StringComparison.Ordinal)))
        {
            var path = Path.GetFullPath(word);
            return File.Exists(path) ? path : throw new VerbFailure(ExitCode.NotFound, $"There is no environment file {TerminalText.Line(path, 300)}.");
        }

        string[] folders = [Path.Combine(home, "environments"), Path.Combine(AppContext.BaseDirectory, "environments")];
        return folders.SelectMany(folder => Endings.Select(ending => Path.Combine(folder, word + ending))).FirstOrDefault(File.Exists)
            ?? throw new VerbFailure(ExitCode.NotFound, NotThere(word, folders));
    }

    public static async Task<(SandboxEnvironment Environment, string Text)> ReadAsync(string path, CancellationToken cancellationToken)
    {
        if (path.EndsWith(".tf", StringComparison.Ordinal))
        {
            // The provider keeps a copy; what it says is known after the apply.
            return (new SandboxEnvironment { Name = Path.GetFileNameWithoutExtension(path), Provider = House.OpenTofu, Image = path, Warm = WarmStart.Never }, "");
        }

        var text = await ReadTextAsync(path, cancellationToken);
        var reading = EnvironmentReader.Read(text, Path.GetFileNameWithoutExtension(path), Path.GetDirectoryName(path)!);
        return (reading.Environment ?? throw new VerbFailure(
            ExitCode.Usage, $"{path} cannot be used:\n{string.Join('\n', reading.Errors.Select(error => $"  {path}:{error.Line}: {error.Text}"))}"), text);
    }

    private static async Task<string> ReadTextAsync(string path, CancellationToken cancellationToken)
    {
        if (new FileInfo(path).Length > EnvironmentReader.MaxLength)
        {
            throw new VerbFailure(ExitCode.Usage, $"{path} cannot be used:\n  {path}:1: The environment is longer than {EnvironmentReader.MaxLength >> 20} MiB.");
        }

        return await File.ReadAllTextAsync(path, cancellationToken);
    }

    private static string NotThere(string word, IEnumerable<string> folders)
    {
        var known = folders.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Where(file => Endings.Contains(Path.GetExtension(file)))
            .Select(file => Path.GetFileNameWithoutExtension(file)!).Distinct().Order(StringComparer.Ordinal).ToList();
        var near = Nearest.To(word, known);
        return $"There is no environment '{TerminalText.Line(word, 60)}'{(near is null ? "" : $"; did you mean '{near}'?")}{(near is null ? "." : "")} Known: {string.Join(", ", known)}. A file is named by its path.";
    }
}
