using System.CommandLine;
using System.Globalization;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Environments;

namespace Gjoll.Cli.Verbs;

/// <summary><c>list</c> and <c>status</c>: what there is, as it is now and not as it was when it was made.</summary>
internal static class ListVerbs
{
    private static readonly TimeSpan HealthPatience = TimeSpan.FromSeconds(10);

    public static IEnumerable<Command> All(Shell shell)
    {
        var name = Shell.Name();
        return
        [
            shell.Verb("list", "All sandboxes", ListAsync),
            shell.Verb("status", "One sandbox, looked at now", call => StatusAsync(call, call.Name(name)), name),
        ];
    }

    private static async Task<ExitCode> ListAsync(Call call)
    {
        var shown = new List<Status>();
        var known = new Dictionary<string, IReadOnlyList<SandboxInfo>>(StringComparer.Ordinal);
        foreach (var name in call.House.Instances.Names())
        {
            if (call.House.Instances.Read(name) is not { } instance)
            {
                continue;
            }

            if (!known.TryGetValue(instance.Provider, out var sandboxes))
            {
                known[instance.Provider] = sandboxes = await call.House.Provider(instance.Provider).ListAsync(call.Cancellation);
            }

            shown.Add(Status.Of(instance, sandboxes.FirstOrDefault(info => info.Name == name), call.House.Instances.IsAbandoned(instance)));
        }

        call.Speaker.Data(shown, writer =>
        {
            if (shown.Count == 0)
            {
                call.Speaker.Say("There are no sandboxes; 'gjoll up' makes one.");
                return;
            }

            Table.Write(writer, ["NAME", "STATE", "PROVIDER", "CREATED", "ENVIRONMENT"], [.. shown.Select(sandbox => (IReadOnlyList<string>)
            [
                sandbox.Name, sandbox.State, sandbox.Provider, Time(sandbox.Created), TerminalText.Line(sandbox.EnvironmentFile, 200),
            ])]);
        });
        return ExitCode.Ok;
    }

    private static async Task<ExitCode> StatusAsync(Call call, SandboxName name)
    {
        var instance = call.House.Demand(name);
        var sandbox = await call.House.Provider(instance.Provider).FindAsync(name, call.Cancellation);
        var info = sandbox is null ? null : await sandbox.InspectAsync(call.Cancellation);
        var detail = await LookAsync(call, instance, sandbox, info);
        call.Speaker.Data(detail, writer =>
        {
            foreach (var (title, text) in Lines(detail))
            {
                writer.WriteLine(TerminalText.Line($"{title,-12} {text}", 400));
            }
        });
        return ExitCode.Ok;
    }

    private static async Task<StatusDetail> LookAsync(Call call, Instance instance, ISandbox? sandbox, SandboxInfo? info)
    {
        SandboxHealth? health = null;
        string? problem = null;
        IReadOnlyList<GuestProgram> programs = [];
        if (sandbox is not null && info?.State == SandboxState.Running)
        {
            using var bounded = CancellationTokenSource.CreateLinkedTokenSource(call.Cancellation);
            bounded.CancelAfter(HealthPatience);
            try
            {
                health = await sandbox.HealthAsync(bounded.Token);
                programs = await sandbox.ListProgramsAsync(bounded.Token);
            }
            catch (GjollException silent)
            {
                problem = silent.Message;
            }
            catch (OperationCanceledException) when (!call.Cancellation.IsCancellationRequested)
            {
                problem = $"The guest did not answer within {HealthPatience.TotalSeconds:F0} seconds: 'gjoll stop {instance.Name}' ends it, 'gjoll start {instance.Name}' boots it again.";
            }
        }

        var environment = Doors.EnvironmentOf(instance, call.House);
        return new StatusDetail
        {
            Sandbox = Status.Of(instance, info, call.House.Instances.IsAbandoned(instance)),
            Home = info?.GuestHome ?? "",
            Workspace = info?.GuestWorkspace ?? "",
            Snapshots = sandbox is null ? [] : [.. (await sandbox.ListSnapshotsAsync(call.Cancellation)).Select(snapshot => snapshot.Value)],
            Forwards = [.. environment.ToSpec(new SandboxName(instance.Name)).Forwards.Select(ForwardVerb.Describe)],
            DoorsServed = environment.NeedsDoors && info?.State == SandboxState.Running ? instance.Doors is { } keeper && DoorKeepers.IsAlive(keeper) : null,
            Health = health,
            HealthProblem = problem,
            Programs = programs,
        };
    }

    private static IEnumerable<(string Title, string Text)> Lines(StatusDetail detail)
    {
        var sandbox = detail.Sandbox;
        yield return ("name", sandbox.Name);
        yield return ("state", sandbox.State);
        yield return ("provider", sandbox.Provider);
        yield return ("environment", sandbox.EnvironmentFile);
        yield return ("created", Time(sandbox.Created));
        if (sandbox.Problem is { } problem)
        {
            yield return ("problem", problem);
        }

        if (sandbox.Image is { } image)
        {
            yield return ("image", image + (sandbox.WasWarm ? ", started warm" : ""));
        }

        if (sandbox.Deadline is { } deadline)
        {
            yield return ("until", Time(deadline));
        }

        if (detail.Health is { } health)
        {
            yield return ("guest", string.Create(
                CultureInfo.InvariantCulture,
                $"agent {health.AgentVersion}, up {health.Uptime.TotalMinutes:F0} min, {health.MemoryAvailable >> 20} MiB memory and {health.DiskFree >> 20} MiB disk free (its own word)"));
        }
        else if (detail.HealthProblem is { } silence)
        {
            yield return ("guest", silence);
        }

        foreach (var program in detail.Programs)
        {
            yield return ("program", $"{program.Id}, {(program.Exit is { } exit ? $"ended with {exit.Code}" : "running")}");
        }

        foreach (var forward in detail.Forwards)
        {
            yield return ("forward", forward);
        }

        if (detail.DoorsServed == false)
        {
            yield return ("doors", $"nobody serves its egress and proxies in the background: 'gjoll start {sandbox.Name}' does");
        }

        foreach (var snapshot in detail.Snapshots)
        {
            yield return ("snapshot", snapshot);
        }
    }

    private static string Time(DateTimeOffset time) => time.ToString("yyyy-MM-dd HH:mm:ss'Z'", CultureInfo.InvariantCulture);
}
