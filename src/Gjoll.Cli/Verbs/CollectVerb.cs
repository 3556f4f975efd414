using System.CommandLine;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Environments;

namespace Gjoll.Cli.Verbs;

/// <summary><c>gc</c>: what is there is made to agree with the records, and what nobody owns goes.</summary>
internal static class CollectVerb
{
    // Whoever holds a name works on it; it is not waited for.
    private static readonly TimeSpan LockPatience = TimeSpan.FromMilliseconds(300);
    private static readonly TimeSpan ScratchAge = TimeSpan.FromDays(1);

    public static Command Build(Shell shell)
    {
        var failed = new Option<bool>("--failed") { Description = "Also remove sandboxes whose 'up' failed" };
        return shell.Verb("gc", "Remove what nobody owns, and stop what is past its time", async call =>
        {
            var report = await RunAsync(call, call.Value(failed));
            call.Speaker.Data(report, writer =>
            {
                foreach (var (what, names) in new[] { ("removed", report.Removed), ("stopped", report.Stopped), ("stray", report.Strays), ("failed", report.Failures) })
                {
                    foreach (var name in names)
                    {
                        writer.WriteLine(TerminalText.Show($"{what,-8} {name}"));
                    }
                }
            });
            return report.Failures.Count == 0 ? ExitCode.Ok : ExitCode.Failed;
        }, failed);
    }

    private sealed record Report(List<string> Removed, List<string> Stopped, List<string> Strays, List<string> Failures);

    private static async Task<Report> RunAsync(Call call, bool withFailed)
    {
        var report = new Report([], [], [], []);
        foreach (var name in call.House.Instances.Names())
        {
            await LookAsync(call, name, withFailed, report);
        }

        foreach (var provider in House.AllProviders.Where(call.House.WasUsed))
        {
            var swept = await call.House.Provider(provider).SweepAsync(info => Owned(call.House, info), call.Cancellation);
            report.Removed.AddRange(swept.Destroyed.Select(name => name.Value));
            report.Stopped.AddRange(swept.Stopped.Select(name => name.Value));
            report.Strays.AddRange(swept.Strays);
            report.Failures.AddRange(swept.Failures);
        }

        if (Directory.Exists(call.House.Scratch))
        {
            foreach (var file in new DirectoryInfo(call.House.Scratch).EnumerateFiles().Where(file => call.House.Time.GetUtcNow() - file.LastWriteTimeUtc > ScratchAge))
            {
                file.Delete();
                report.Strays.Add(file.FullName);
            }
        }

        return report;
    }

    private static bool Owned(House house, SandboxInfo info) => house.Instances.Read(info.Name)?.Provider == info.Provider;

    /// <summary>An instance whose maker died, or whose sandbox is gone, has nothing to keep.</summary>
    private static async Task LookAsync(Call call, SandboxName name, bool withFailed, Report report)
    {
        using var bounded = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation);
        bounded.CancelAfter(LockPatience);
        try
        {
            using var held = await call.House.Instances.LockAsync(name, bounded.Token);
            var instance = call.House.Instances.Read(name);
            var isGone = instance is null || instance.Stage switch
            {
                InstanceStage.Creating => true,
                InstanceStage.Failed => withFailed,
                _ => await call.House.Provider(instance.Provider).FindAsync(name, call.Cancellation) is null,
            };
            if (isGone)
            {
                if (instance is not null)
                {
                    await call.House.Provider(instance.Provider).DestroyAsync(name, call.Cancellation);
                    await new DoorKeeping(call.House, call.Verbose).EndAsync(name, call.Cancellation);
                }

                await call.House.Instances.RemoveAsync(name, held, call.Cancellation);
                report.Removed.Add(name.Value);
            }
        }
        catch (OperationCanceledException) when (!call.Cancellation.IsCancellationRequested)
        {
            call.Speaker.Say($"{name} is being worked on");
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            report.Failures.Add($"{name}: {failure.Message}");
        }
    }
}
