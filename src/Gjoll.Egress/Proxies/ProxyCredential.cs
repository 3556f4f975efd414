namespace Gjoll.Egress.Proxies;

/// <summary>What the host adds to a request. Says where a secret lies and never holds one, so that it may be printed.</summary>
public abstract record ProxyCredential
{
    private ProxyCredential()
    {
    }

    /// <summary>Nothing.</summary>
    public sealed record None : ProxyCredential;

    /// <summary>A header whose value is read once, at the start, from an environment variable of the host or from a file.</summary>
    /// <param name="Header">Name of the header.</param>
    /// <param name="Prefix">What stands before the value, such as <c>Bearer </c>.</param>
    public sealed record Static(string Header, string Prefix = "") : ProxyCredential
    {
        /// <summary>Environment variable; this or <see cref="File"/>.</summary>
        public string? Variable { get; init; }

        public string? File { get; init; }
    }

    /// <summary>A header whose value is what the file holds at each request: whoever renews the secret replaces the file.</summary>
    public sealed record Renewed(string Header, string File, string Prefix = "") : ProxyCredential;

    /// <summary>An access token for Google's services from application default credentials.</summary>
    public sealed record GoogleAdc : ProxyCredential
    {
        /// <summary>Credential file; null for GOOGLE_APPLICATION_CREDENTIALS, and then gcloud's own file in the home folder.</summary>
        public string? File { get; init; }

        public IReadOnlyList<string> Scopes { get; init; } = ["https://www.googleapis.com/auth/cloud-platform"];

        /// <summary>Where tokens are fetched; null for what the file says, or Google's own.</summary>
        public string? TokenEndpoint { get; init; }

        /// <summary>The only addresses the token endpoint may lead to; empty for public ones.</summary>
        public IReadOnlyList<string> TokenAddresses { get; init; } = [];

        /// <summary>Address and port of the metadata server, such as <c>169.254.169.254:80</c>, asked when there is no file. Null asks none.</summary>
        public string? MetadataServer { get; init; }
    }

    /// <summary>Signs for AWS (Signature Version 4).</summary>
    /// <param name="Service">As AWS names it in signatures, such as <c>bedrock</c> or <c>s3</c>.</param>
    /// <param name="Region">Such as <c>eu-central-1</c>.</param>
    public sealed record AwsSigV4(string Service, string Region) : ProxyCredential
    {
        /// <summary>Profile of the shared credentials file; null for the AWS variables of the host's environment.</summary>
        public string? Profile { get; init; }

        /// <summary>The shared credentials file; null for AWS_SHARED_CREDENTIALS_FILE, and then the one in the home folder.</summary>
        public string? File { get; init; }

        /// <summary>Bodies are passed on as they come and not signed. For S3 over https only; else each body is held until its digest is known.</summary>
        public bool UnsignedPayload { get; init; }
    }
}
