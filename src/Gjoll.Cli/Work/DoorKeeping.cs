using Gjoll.Environments;

namespace Gjoll.Cli.Work;

/// <summary>Sees to it that a process serves what a sandbox may reach, from before its start to after its stop. The instance's lock is held.</summary>
internal sealed class DoorKeeping(House house, bool verbose)
{
    /// <summary>What <c>proxy</c> is told when it is to say <c>ready</c> and nothing more.</summary>
    public const string Detached = "--detached";

    public async Task EnsureAsync(SandboxName name, SandboxEnvironment environment, CancellationToken cancellationToken)
    {
        var instance = house.Demand(name);
        if (!environment.NeedsDoors || (instance.Doors is { } present && DoorKeepers.IsAlive(present)))
        {
            return;
        }

        string[] more = verbose ? ["--verbose"] : [];
        var keeper = await DoorKeepers.StartAsync([.. Surroundings.ThisProgram(), "proxy", name.Value, Detached, .. more], Surroundings.All(), house.Time, cancellationToken);
        house.Instances.Write(house.Demand(name) with { Doors = keeper });
    }

    public async Task EndAsync(SandboxName name, CancellationToken cancellationToken)
    {
        if (house.Instances.Read(name) is { Doors: { } keeper } instance)
        {
            await DoorKeepers.StopAsync(keeper, house.Time, cancellationToken);
            house.Instances.Write(instance with { Doors = null });
        }
    }
}
