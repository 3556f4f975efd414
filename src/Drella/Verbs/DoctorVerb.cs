using System.CommandLine;
using Drella.Configuration;
using Drella.Daemon;
using Drella.Doctor;
using Drella.Terminal;

namespace Drella.Verbs;

/// <summary><c>doctor</c>: proves by live probes that each control is on.</summary>
internal static class DoctorVerb
{
    public static Command Build(Shell shell) => shell.Verb("doctor", "Prove that what the factory needs is there and that each control is on", RunAsync);

    private static async Task<ExitCode> RunAsync(Call call)
    {
        var checks = new List<Check>();
        var result = ConfigLoader.Load(call.ConfigFile, isOptional: true);
        checks.Add(result.Config is null
            ? new Check("configuration", false, string.Join("; ", result.Problems), $"mend {result.File}")
            : new Check("configuration", true, File.Exists(result.File) ? result.File : "defaults; there is no drella.yaml here", null));
        var config = result.Config ?? new DrellaConfig { Folder = Path.GetDirectoryName(call.ConfigFile)! };
        checks.AddRange(await Prerequisites.CheckAsync(config, call.Cancellation));
        if (checks.All(check => check.Ok || check.Name == "model key"))
        {
            call.Speaker.Say("attacking a sandbox from inside …");
            checks.AddRange(await SandboxProbes.RunAsync(config, Programs.Root(config.DataFolder), TimeProvider.System, call.Cancellation));
            call.Speaker.Say("killing a process that writes a journal …");
            checks.Add(await JournalProbe.RunAsync(TimeProvider.System, call.Cancellation));
        }

        call.Speaker.Data(checks, writer =>
        {
            foreach (var check in checks)
            {
                writer.WriteLine(TerminalText.Show($"{(check.Ok ? "ok  " : "FAIL")} {check.Name,-28} {check.Detail}"));
                if (!check.Ok && check.Remedy is { } remedy)
                {
                    writer.WriteLine($"     {"",-28} {remedy}");
                }
            }
        });
        return checks.All(check => check.Ok) ? ExitCode.Ok : ExitCode.CheckFailed;
    }
}
