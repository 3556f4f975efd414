namespace Gjoll.Egress.Proxies;

/// <summary>A bearer token for Google's services.</summary>
internal sealed class GoogleInjector(GoogleTokens tokens) : IInjector, IDisposable
{
    public IReadOnlyList<string> Owned => ["Authorization", "X-Goog-User-Project"];

    public bool HoldsBody => false;

    public Task CheckAsync(CancellationToken cancellationToken) => tokens.CheckAsync(cancellationToken);

    public EgressRefusal? Judge(OutgoingRequest request) => null;

    public async Task InjectAsync(OutgoingRequest request, CancellationToken cancellationToken)
    {
        var token = await tokens.GetAsync(cancellationToken);
        request.Set("Authorization", "Bearer " + token.Value);
        if (token.QuotaProject is { } project)
        {
            request.Set("X-Goog-User-Project", project);
        }
    }

    public void Dispose() => tokens.Dispose();
}
