using Gjoll.Channel;

namespace Gjoll.OpenTofu;

/// <summary>A machine as its channel sees it: by its record, whoever started it.</summary>
internal sealed class TofuMachine(SandboxName name, TofuHost host) : IWardenHost
{
    public IReadOnlyDictionary<string, string> AgentEnvironment =>
        host.Demand(name) is { Outputs: { } outputs, Home: { } home } ? GuestPaths.EnvironmentOf(outputs.SshUser, home) : GuestPaths.AgentEnvironment;

    public Task<string> EnsureWardenAsync(CancellationToken cancellationToken) => host.EnsureWardenAsync(name, cancellationToken);

    public bool IsRunning() => host.Registry.Read(name) is { Ready: true, Run.IsUp: true };
}
