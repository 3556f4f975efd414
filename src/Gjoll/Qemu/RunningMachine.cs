using Gjoll.Channel;

namespace Gjoll.Qemu;

/// <summary>A machine as its channel sees it.</summary>
internal sealed class RunningMachine(SandboxName name, MachineHost host) : IWardenHost
{
    public Task<string> EnsureWardenAsync(CancellationToken cancellationToken) => host.EnsureWardenAsync(name, cancellationToken);

    public bool IsRunning() => host.Registry.Read(name) is { } record && MachineHost.IsRunning(record);
}
