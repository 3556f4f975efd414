using Gjoll.Hosts;

namespace Gjoll.Bubblewrap;

public sealed partial class BubblewrapProvider
{
    public async Task<SweepReport> SweepAsync(Func<SandboxInfo, bool> keep, CancellationToken cancellationToken)
    {
        var sweep = new Sweep(_folders, _registry, _cgroups, _host, _time);
        return await sweep.RunAsync(keep, cancellationToken);
    }
}
