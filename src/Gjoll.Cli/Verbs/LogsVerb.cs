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
            call.Speaker.Data(new { name = instance.Name, problem = instance.Problem, init, console }, writer =>
            {
                foreach (var (title, text) in new[] { ("problem", instance.Problem), ("init script", init), ("console", console) })
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
}
