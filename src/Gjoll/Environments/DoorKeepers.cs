using Gjoll.Channel;
using Gjoll.Hosts;

namespace Gjoll.Environments;

/// <summary>The processes that serve what sandboxes may reach, each started in a session of its own so that it outlives the command that started it.</summary>
public static class DoorKeepers
{
    /// <summary>Starts one and returns when it has written the line <c>ready</c>.</summary>
    /// <exception cref="GjollException">It ended before; the message has what it said.</exception>
    public static async Task<DoorKeeper> StartAsync(
        IReadOnlyList<string> command, IReadOnlyDictionary<string, string> environment, TimeProvider time, CancellationToken cancellationToken)
    {
        var started = await WardenProcess.StartAsync(command[0], [.. command.Skip(1)], environment, time, cancellationToken);
        return new DoorKeeper(started.Id, started.StartTime);
    }

    public static bool IsAlive(DoorKeeper keeper) => ProcessTable.IsAlive(Identity(keeper));

    /// <summary>Ends it, and with it all that goes through its doors. Gone already is success.</summary>
    public static Task StopAsync(DoorKeeper keeper, TimeProvider time, CancellationToken cancellationToken) =>
        WardenProcess.StopAsync(Identity(keeper), time, cancellationToken);

    private static ProcessIdentity Identity(DoorKeeper keeper) => new(keeper.ProcessId, keeper.StartTime);
}
