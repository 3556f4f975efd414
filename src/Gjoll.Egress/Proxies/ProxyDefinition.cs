namespace Gjoll.Egress.Proxies;

/// <summary>
/// A named way from a sandbox to one fixed place, with a credential that the host adds and the guest never sees. What is not allowed here is
/// refused. Plain data: <see cref="Validate"/> says what is wrong with it.
/// </summary>
public sealed record ProxyDefinition
{
    /// <summary>Letters, digits and hyphens, begins with a letter, at most 32. Names the socket and the journal's lines.</summary>
    public required string Name { get; init; }

    /// <summary>Scheme, host, port and a path that is put before everything asked for, such as <c>https://api.example.com/v1</c>.</summary>
    public required string Target { get; init; }

    /// <summary>Port on the guest's loopback that leads here.</summary>
    public required int Port { get; init; }

    /// <summary>What may be asked for: any rule that fits is enough.</summary>
    public IReadOnlyList<ProxyRule> Allow { get; init; } = [];

    public ProxyCredential Credential { get; init; } = new ProxyCredential.None();

    /// <summary>
    /// Addresses with ports, such as <c>10.1.2.3:443</c>. When there are any, the target may lead to these only, private ones included; when
    /// there are none, to public addresses only.
    /// </summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>A file of PEM certificates that are trusted for the target instead of the host's; null for the host's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>Largest request body.</summary>
    public long MaxRequestBytes { get; init; } = 32L << 20;

    /// <summary>Largest response body; a longer one is cut.</summary>
    public long MaxResponseBytes { get; init; } = 1L << 30;

    /// <summary>Connections of the sandbox at a time.</summary>
    public int MaxConnections { get; init; } = 64;

    /// <summary>From the request to the head of its answer.</summary>
    public TimeSpan AnswerTimeout { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>Longest silence in the midst of an answer.</summary>
    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>What is wrong with the proxies, a sentence each that begins with the name of the one it means; empty when they are good.</summary>
    public static IReadOnlyList<string> Validate(IReadOnlyList<ProxyDefinition> proxies) => ProxyCheck.Problems(proxies);
}
