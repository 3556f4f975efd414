namespace Drella.Web;

/// <summary>How the surface is reached and what it trusts.</summary>
public sealed record WebOptions
{
    /// <summary>Address to listen on, such as <c>http://127.0.0.1:7400</c>; port 0 lets the kernel choose. Its host is also the <c>Host</c> that is answered, besides loopback.</summary>
    public required string ListenUrl { get; init; }

    /// <summary>The operator's token. Every route but health, pictures and the webhook needs it.</summary>
    public required string Token { get; init; }

    /// <summary>Address under which people reach the surface, when it is not the one listened on (a proxy in front); null for none.</summary>
    public string? PublicUrl { get; init; }

    /// <summary>Holds a delivery's headers and raw body against the webhook's secret. Gives the delivery's id, or null when the signature is wrong.</summary>
    public required Func<IEnumerable<KeyValuePair<string, string>>, byte[], string?> VerifyWebhook { get; init; }
}
