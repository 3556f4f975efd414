namespace Gjoll.Egress.Proxies;

internal sealed class NoInjector : IInjector
{
    public IReadOnlyList<string> Owned => [];

    public bool HoldsBody => false;

    public Task CheckAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public EgressRefusal? Judge(OutgoingRequest request) => null;

    public Task InjectAsync(OutgoingRequest request, CancellationToken cancellationToken) => Task.CompletedTask;
}
