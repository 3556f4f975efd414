using System.CommandLine;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Qemu;

namespace Gjoll.Cli.Verbs;

/// <summary><c>logs</c>: what the init script wrote, and the console of a machine.</summary>
internal static class LogsVerb
{
    public static Command Build(Shell shell)
    {
        var name = Shell.Name();
        return shell.Verb("logs", "What the init script wrote, and the guest's console", async call =>
        {
            var instance = call.House.Demand(call.Name(name));
            var sandbox = new SandboxName(instance.Name);
            var file = Path.Combine(call.House.Instances.FolderOf(sandbox), InitScript.LogName);
            var init = File.Exists(file) ? await File.ReadAllTextAsync(file, call.Cancellation) : null;
            var console = call.House.Provider(instance.Provider) is QemuProvider machines && await machines.FindAsync(sandbox, call.Cancellation) is not null
                ? await machines.ReadConsoleAsync(sandbox, call.Cancellation)
                : null;
            var journal = Path.Combine(call.House.Instances.FolderOf(sandbox), OpenDoors.JournalName);
            var doors = File.Exists(journal) ? await ReadTailAsync(journal, call.Cancellation) : null;
            call.Speaker.Data(new { name = instance.Name, problem = instance.Problem, init, console, doors }, writer =>
            {
                if (string.IsNullOrEmpty(instance.Problem + init + console + doors))
                {
                    call.Speaker.Say($"There are no logs of {instance.Name}: no script ran, no door was used, and its console is silent.");
                }

                foreach (var (title, text) in new[] { ("problem", instance.Problem), ("init script", init), ("console", console), ("doors", doors) })
                {
                    if (!string.IsNullOrEmpty(text))
                    {
                        writer.WriteLine($"== {title}");
                        writer.WriteLine(TerminalText.Show(text).TrimEnd('\n'));
                    }
                }
            });
            return ExitCode.Ok;
        }, name);
    }

    /// <summary>The last lines of a file that a guest can make grow.</summary>
    private static async Task<string> ReadTailAsync(string path, CancellationToken cancellationToken)
    {
        const int Most = 64 * 1024;
        await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        file.Seek(-Math.Min(Most, file.Length), SeekOrigin.End);
        using var reader = new StreamReader(file);
        var text = await reader.ReadToEndAsync(cancellationToken);
        return file.Length > Most ? text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..] : text;
    }
}
