using System.CommandLine;
using System.Globalization;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;

namespace Gjoll.Cli.Verbs;

/// <summary>
/// <c>proxy</c>: serves what an environment lets its sandbox reach. <c>up</c> and <c>start</c> run it in the background; run by hand it takes over, to be
/// looked at.
/// </summary>
internal static class ProxyVerb
{
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan HandOver = TimeSpan.FromSeconds(15);

    public static Command Build(Shell shell)
    {
        var name = Shell.Name();
        var detached = new Option<bool>(DoorKeeping.Detached) { Hidden = true };
        return shell.Verb("proxy", "Serve what a sandbox may reach: its egress and its named proxies", async call =>
        {
            var sandbox = call.Name(name);
            var isDetached = call.Value(detached);
            var instance = call.House.Demand(sandbox);
            var environment = Doors.EnvironmentOf(instance, call.House);
            if (!environment.NeedsDoors)
            {
                throw new VerbFailure(ExitCode.Refused, $"The environment of {sandbox} has neither 'egress' nor 'proxies': there is nothing to serve.");
            }

            if (!isDetached)
            {
                using var held = await call.House.LockAsync(sandbox, call.Cancellation);
                await new DoorKeeping(call.House, call.Verbose).EndAsync(sandbox, call.Cancellation);
            }

            var found = await call.House.FindAsync(sandbox, call.Cancellation);
            var info = await found.InspectAsync(call.Cancellation);
            try
            {
                await using var doors = await OpenDoors.OpenAsync(
                    sandbox, environment, info.EndpointFolder, Path.Combine(call.House.Instances.FolderOf(sandbox), OpenDoors.JournalName), call.House.Time, call.Cancellation);
                await SayAsync(call, sandbox, environment, isDetached);
                await ServeAsync(call, sandbox, instance.Created);
            }
            finally
            {
                if (!isDetached)
                {
                    await GiveBackAsync(call, found, environment);
                }
            }

            return ExitCode.Ok;
        }, name, detached);
    }

    private static async Task SayAsync(Call call, SandboxName sandbox, Environments.SandboxEnvironment environment, bool isDetached)
    {
        if (isDetached)
        {
            await call.Speaker.Output.WriteLineAsync("ready");
        }
        else
        {
            var served = Served(environment).ToList();
            call.Speaker.Data(
                new { name = sandbox.Value, doors = served.Select(door => new { guest = door.Port, target = door.Target }) },
                writer => served.ForEach(door => writer.WriteLine(string.Create(CultureInfo.InvariantCulture, $"guest 127.0.0.1:{door.Port} -> {door.Target}"))));
        }

        await call.Speaker.Output.FlushAsync(call.Cancellation);
    }

    /// <summary>Who looked for a while must not leave a running sandbox without its doors.</summary>
    private static async Task GiveBackAsync(Call call, ISandbox sandbox, Environments.SandboxEnvironment environment)
    {
        using var bounded = new CancellationTokenSource(HandOver, call.House.Time);
        using var held = await call.House.LockAsync(sandbox.Name, bounded.Token);
        if (call.House.Instances.Read(sandbox.Name) is not null && (await sandbox.InspectAsync(bounded.Token)).State == SandboxState.Running)
        {
            await new DoorKeeping(call.House, call.Verbose).EnsureAsync(sandbox.Name, environment, bounded.Token);
            call.Speaker.Say("the doors are served in the background again");
        }
    }

    private static IEnumerable<(int Port, string Target)> Served(Environments.SandboxEnvironment environment) =>
    [
        .. environment.Egress is { } egress ? [(egress.Port, $"egress: {string.Join(", ", egress.Allow)}")] : Array.Empty<(int, string)>(),
        .. environment.Proxies.Select(proxy => (proxy.Port, $"{proxy.Name}: {proxy.Target}")),
    ];

    /// <summary>Until interrupted, or until the sandbox is no more: then whoever was to end this died.</summary>
    private static async Task ServeAsync(Call call, SandboxName name, DateTimeOffset created)
    {
        using var timer = new PeriodicTimer(Look, call.House.Time);
        while (call.House.Instances.Read(name)?.Created == created)
        {
            await timer.WaitForNextTickAsync(call.Cancellation);
        }
    }
}
