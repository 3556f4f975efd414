using System.CommandLine;
using Drella.Configuration;
using Drella.Daemon;
using Drella.Drivers.Processes;
using Drella.Terminal;

namespace Drella.Verbs;

/// <summary>Verbs that make what a person then edits.</summary>
internal static class SetupVerbs
{
    public static IEnumerable<Command> All(Shell shell)
    {
        var folder = new Argument<DirectoryInfo?>("folder") { Description = "Where (default: here)", Arity = ArgumentArity.ZeroOrOne };
        yield return shell.Verb("init", "Write a drella.yaml that works and says what can be set", call => InitAsync(call, folder), folder);

        var tasks = new Argument<DirectoryInfo?>("folder") { Description = "Where (default: ./tasks)", Arity = ArgumentArity.ZeroOrOne };
        yield return Shell.Group("tasks", "The order window", shell.Verb("init", "Make a tasks repository", call => TasksInitAsync(call, tasks), tasks));
    }

    private static async Task<ExitCode> InitAsync(Call call, Argument<DirectoryInfo?> folder)
    {
        var file = Path.Combine(call.Value(folder)?.FullName ?? Directory.GetCurrentDirectory(), ConfigLoader.FileName);
        if (File.Exists(file))
        {
            throw new VerbFailure(ExitCode.Refused, $"{file} is there already and is left alone");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        await File.WriteAllTextAsync(file, await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "drella.example.yaml"), call.Cancellation), call.Cancellation);
        call.Speaker.Data(new { file }, writer => writer.WriteLine(file));
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> TasksInitAsync(Call call, Argument<DirectoryInfo?> argument)
    {
        var folder = call.Value(argument)?.FullName ?? Path.GetFullPath("tasks");
        if (Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder).Any())
        {
            throw new VerbFailure(ExitCode.Refused, $"{folder} is not empty and is left alone");
        }

        foreach (var (path, text) in TasksTemplate.Files())
        {
            var file = Path.Combine(folder, path);
            Directory.CreateDirectory(Path.GetDirectoryName(file)!);
            await File.WriteAllTextAsync(file, text, call.Cancellation);
        }

        var processes = new ProcessRunner(TimeProvider.System);
        string[][] commands = [["init", "-q", "-b", "main"], ["add", "-A"], ["-c", "user.name=drella", "-c", "user.email=drella@localhost", "commit", "-q", "-m", "Begin the order window"]];
        foreach (var arguments in commands)
        {
            await processes.RunCheckedAsync(new ProcessSpec { Program = "git", Arguments = ["-C", folder, .. arguments] }, call.Cancellation);
        }

        call.Speaker.Data(new { folder }, writer => writer.WriteLine(folder));
        return ExitCode.Ok;
    }
}
