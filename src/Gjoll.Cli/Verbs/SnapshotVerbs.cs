using System.CommandLine;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Environments;

namespace Gjoll.Cli.Verbs;

/// <summary>Copies of what a sandbox holds: snapshot, restore, fork.</summary>
internal static class SnapshotVerbs
{
    private static readonly TimeSpan CleanPatience = TimeSpan.FromSeconds(30);

    public static IEnumerable<Command> All(Shell shell) => [Snapshot(shell), Restore(shell), Fork(shell)];

    private static Command Snapshot(Shell shell)
    {
        var name = Shell.Name();
        var snapshot = new Argument<string?>("snapshot") { Description = "Its name; without one the snapshots are listed", Arity = ArgumentArity.ZeroOrOne };
        return shell.Verb("snapshot", "Keep what a sandbox holds under a name", async call =>
        {
            var sandbox = await call.House.FindAsync(call.Name(name), call.Cancellation);
            if (call.Value(snapshot) is { } word)
            {
                var kept = Names.Snapshot(word);
                using var held = await call.House.LockAsync(sandbox.Name, call.Cancellation);
                await new Progress(call.Speaker, call.House.Time).DoAsync($"keeping {kept} of {sandbox.Name}", () => sandbox.SnapshotAsync(kept, call.Cancellation));
            }

            var all = (await sandbox.ListSnapshotsAsync(call.Cancellation)).Select(known => known.Value).ToList();
            call.Speaker.Data(new { name = sandbox.Name.Value, snapshots = all }, writer => all.ForEach(writer.WriteLine));
            return ExitCode.Ok;
        }, name, snapshot);
    }

    private static Command Restore(Shell shell)
    {
        var name = Shell.Name();
        var snapshot = new Argument<string>("snapshot") { Description = "Its name" };
        return shell.Verb("restore", "Put back what a sandbox held", async call =>
        {
            var wanted = Names.Snapshot(call.Value(snapshot)!);
            var sandbox = await call.House.FindAsync(call.Name(name), call.Cancellation);
            using var held = await call.House.LockAsync(sandbox.Name, call.Cancellation);
            var known = await sandbox.ListSnapshotsAsync(call.Cancellation);
            if (!known.Contains(wanted))
            {
                throw new VerbFailure(ExitCode.NotFound, $"{sandbox.Name} has no snapshot {wanted}; it has {(known.Count == 0 ? "none" : string.Join(", ", known))}.");
            }

            await new Progress(call.Speaker, call.House.Time).DoAsync($"putting {wanted} back", () => sandbox.RestoreAsync(wanted, call.Cancellation));
            if ((await sandbox.InspectAsync(call.Cancellation)).State != SandboxState.Running)
            {
                call.Speaker.Say($"{sandbox.Name} does not run now: 'gjoll start {sandbox.Name}' lets it go on from there.");
            }

            call.Speaker.Data(new { name = sandbox.Name.Value, snapshot = wanted.Value }, writer => writer.WriteLine($"{sandbox.Name}  {wanted}"));
            return ExitCode.Ok;
        }, name, snapshot);
    }

    private static Command Fork(Shell shell)
    {
        var source = new Argument<string>("source") { Description = "A running sandbox" };
        var name = new Argument<string>("name") { Description = "The copy's name" };
        return shell.Verb("fork", "Copy a running sandbox, with memory, disk and programs", async call =>
        {
            var (from, to) = (call.Name(source), call.Name(name));
            var parent = call.House.Demand(from);
            await call.House.FindRunningAsync(from, call.Cancellation);
            using var held = await call.House.LockAsync(to, call.Cancellation);
            if (call.House.Instances.Read(to) is not null)
            {
                throw new VerbFailure(ExitCode.Refused, $"The sandbox {to} exists already: take another name.");
            }

            var copy = parent with { Name = to.Value, Created = call.House.Time.GetUtcNow(), Stage = InstanceStage.Creating, Problem = null, Doors = null };
            var environment = Doors.EnvironmentOf(parent, call.House);
            call.House.Instances.Write(copy);
            try
            {
                var sandbox = await new Progress(call.Speaker, call.House.Time).DoAsync(
                    $"copying {from} to {to}",
                    () => call.House.Provider(parent.Provider).ForkAsync(from, environment.ToSpec(to), call.Cancellation));
                await new DoorKeeping(call.House, call.Verbose).EnsureAsync(to, environment, call.Cancellation);
                call.House.Instances.Write(call.House.Demand(to) with { Stage = InstanceStage.Ready });
                var status = Status.Of(call.House.Demand(to), await sandbox.InspectAsync(call.Cancellation), isAbandoned: false);
                call.Speaker.Data(status, writer => writer.WriteLine($"{status.Name}  {status.State}  {status.Provider}"));
                return ExitCode.Ok;
            }
            catch (Exception failure) when (failure is GjollException or IOException or OperationCanceledException)
            {
                // The name is free again, also when it was interrupted.
                using var bounded = new CancellationTokenSource(CleanPatience, call.House.Time);
                await call.House.Provider(parent.Provider).DestroyAsync(to, bounded.Token);
                await new DoorKeeping(call.House, call.Verbose).EndAsync(to, bounded.Token);
                await call.House.Instances.RemoveAsync(to, held, bounded.Token);
                throw;
            }
        }, source, name);
    }
}
