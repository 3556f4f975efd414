namespace Gjoll.Egress.Proxies;

/// <summary>Which header fields go through a named proxy, and which stay behind.</summary>
internal static class Fields
{
    // What belongs to one connection, or is said anew for the next.
    private static readonly HashSet<string> OneHop = new(StringComparer.OrdinalIgnoreCase)
    {
        "Connection", "Keep-Alive", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "HTTP2-Settings", "Expect", "Host", "Content-Length", "Via", "Forwarded", "X-Real-IP",
    };

    // Credentials of somebody else, which could move the request to another account, and words that change what method or path is meant.
    private static readonly HashSet<string> Foreign = new(StringComparer.OrdinalIgnoreCase)
    {
        "Authorization", "Cookie", "Cookie2", "X-Api-Key", "Api-Key", "X-Goog-Api-Key", "X-Goog-User-Project", "X-Goog-IAM-Authorization-Token", "X-Auth-Token",
        "X-Amz-Security-Token", "Private-Token", "X-HTTP-Method", "X-HTTP-Method-Override", "X-Method-Override", "X-Original-URL", "X-Original-URI", "X-Rewrite-URL",
    };

    // A session that the credential began is a credential too.
    private static readonly HashSet<string> Kept = new(StringComparer.OrdinalIgnoreCase) { "Set-Cookie", "Set-Cookie2", "Alt-Svc" };

    /// <summary>True for fields that the proxy itself sets, which therefore can carry nothing else.</summary>
    public static bool IsOurs(string name) => OneHop.Contains(name) || IsProxys(name);

    public static bool GoesOut(string name, IReadOnlySet<string> named) =>
        !OneHop.Contains(name) && !Foreign.Contains(name) && !IsProxys(name) && !named.Contains(name);

    public static bool ComesBack(string name, IReadOnlySet<string> named) =>
        !OneHop.Contains(name) && !Kept.Contains(name) && !IsProxys(name) && !named.Contains(name);

    /// <summary>The names that Connection fields list: they too belong to one connection.</summary>
    public static IReadOnlySet<string> Named(IEnumerable<string?> connection) =>
        connection.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.TrimEntries)).ToHashSet(StringComparer.OrdinalIgnoreCase);

    private static bool IsProxys(string name) =>
        name.StartsWith("Proxy-", StringComparison.OrdinalIgnoreCase) || name.StartsWith("X-Forwarded-", StringComparison.OrdinalIgnoreCase);
}
