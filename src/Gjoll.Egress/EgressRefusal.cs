namespace Gjoll.Egress;

/// <summary>A reason to say no: the rule for the audit line, and what the agent is told. It names nothing of the host.</summary>
internal sealed record EgressRefusal(int Status, string Rule, string Text)
{
    public static EgressRefusal Malformed { get; } = new(400, "malformed-request", "the request is malformed");

    public static EgressRefusal BadName { get; } = new(403, "malformed-name", "the host name is malformed");

    public static EgressRefusal Literal { get; } = new(403, "address-literal", "addresses are refused, use a name on the allow-list");

    public static EgressRefusal NotListed { get; } = new(403, "not-on-allow-list", "host not on the allow-list");

    public static EgressRefusal BadList { get; } = new(403, "allow-list-invalid", "host not on the allow-list");

    public static EgressRefusal Port { get; } = new(403, "port", "port not allowed");

    public static EgressRefusal Scheme { get; } = new(403, "scheme", "only CONNECT and http:// are served");

    public static EgressRefusal Method { get; } = new(403, "method", "method not allowed over plain HTTP");

    public static EgressRefusal HostMismatch { get; } = new(400, "host-mismatch", "the Host header differs from the target");

    public static EgressRefusal Body { get; } = new(400, "request-body", "the request body is refused");

    public static EgressRefusal NoToken { get; } = new(407, "no-token", "proxy credentials required");

    public static EgressRefusal BadToken { get; } = new(403, "bad-token", "not admitted");

    public static EgressRefusal NotAdmitted { get; } = new(403, "not-admitted", "not admitted");

    public static EgressRefusal HeadTooLarge { get; } = new(431, "head-too-large", "the request head is too large");

    public static EgressRefusal HeadTooSlow { get; } = new(408, "head-too-slow", "the request head took too long");

    public static EgressRefusal Busy { get; } = new(503, "too-many-connections", "too many connections at once");

    public static EgressRefusal Unresolved { get; } = new(502, "unresolved", "the name does not resolve");

    public static EgressRefusal Address { get; } = new(403, "address", "the name leads to an address that is not allowed");

    public static EgressRefusal Unreachable { get; } = new(502, "unreachable", "the host could not be reached");

    public static EgressRefusal NoAudit { get; } = new(503, "no-audit", "temporarily not available");

    public static EgressRefusal NotTls { get; } = new(403, "not-tls", "only TLS may be tunnelled");

    public static EgressRefusal NoServerName { get; } = new(403, "no-sni", "TLS without a server name");

    public static EgressRefusal OtherServerName { get; } = new(403, "sni-mismatch", "TLS for another server name");

    public static EgressRefusal HiddenServerName { get; } = new(403, "encrypted-hello", "TLS with a hidden server name");

    public static EgressRefusal HelloTooSlow { get; } = new(408, "hello-too-slow", "the TLS hello took too long");
}
