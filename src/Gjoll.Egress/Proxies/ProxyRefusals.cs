namespace Gjoll.Egress.Proxies;

/// <summary>Reasons of the named proxies to say no. They name nothing of the host and nothing of the credential.</summary>
internal static class ProxyRefusals
{
    public static EgressRefusal Form { get; } = new(400, "request-form", "ask for a path: this proxy leads to one place only");

    public static EgressRefusal Path { get; } = new(400, "path-form", "the path can be read in more than one way");

    public static EgressRefusal NotAllowed { get; } = new(403, "not-allowed", "method and path are not allowed");

    public static EgressRefusal Signed { get; } = new(400, "foreign-signature", "the request carries a signature of its own; send it unsigned and unchunked");

    public static EgressRefusal BodyTooLarge { get; } = new(413, "body-too-large", "the request body is too large");

    public static EgressRefusal BodyTooSlow { get; } = new(408, "body-too-slow", "the request body took too long");

    public static EgressRefusal Credential { get; } = new(502, "credential", "the host's credential is not available");

    public static EgressRefusal Broken { get; } = new(502, "target-broken", "the target did not answer properly");

    public static EgressRefusal AnswerTooSlow { get; } = new(504, "answer-too-slow", "the target took too long");
}
