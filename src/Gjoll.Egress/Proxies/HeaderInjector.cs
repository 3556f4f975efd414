namespace Gjoll.Egress.Proxies;

/// <summary>One header with a secret in it.</summary>
internal sealed class HeaderInjector(string header, Func<CancellationToken, Task<string>> read) : IInjector
{
    public IReadOnlyList<string> Owned => [header];

    public bool HoldsBody => false;

    /// <summary>Read once, and the same until the end.</summary>
    public static HeaderInjector Once(ProxyCredential.Static one, Func<string, string?> environment)
    {
        string? value = null;
        return new HeaderInjector(one.Header, async cancellationToken => value ??= await ReadAsync(cancellationToken));

        async Task<string> ReadAsync(CancellationToken cancellationToken) => one.Variable is { } variable
            ? SecretText.HeaderValue(
                one.Prefix,
                environment(variable) ?? throw new CredentialException($"the environment variable {variable} is not set"),
                $"the environment variable {variable}")
            : SecretText.HeaderValue(one.Prefix, await SecretText.ReadAsync(one.File!, cancellationToken), $"'{one.File}'");
    }

    /// <summary>Read at each request: a file is small, and nobody has to be told that it was replaced.</summary>
    public static HeaderInjector Renewed(ProxyCredential.Renewed one) => new(
        one.Header,
        async cancellationToken => SecretText.HeaderValue(one.Prefix, await SecretText.ReadAsync(one.File, cancellationToken), $"'{one.File}'"));

    public Task CheckAsync(CancellationToken cancellationToken) => read(cancellationToken);

    public EgressRefusal? Judge(OutgoingRequest request) => null;

    public async Task InjectAsync(OutgoingRequest request, CancellationToken cancellationToken) => request.Set(header, await read(cancellationToken));
}
