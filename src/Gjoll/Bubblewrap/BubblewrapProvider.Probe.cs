namespace Gjoll.Bubblewrap;

public sealed partial class BubblewrapProvider
{
    public async Task<ProviderReport> ProbeAsync(CancellationToken cancellationToken) => await _abilities.ProbeAsync(cancellationToken);
}
