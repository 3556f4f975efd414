using Gjoll.Egress.Proxies;

namespace Gjoll.Egress.Tests;

/// <summary>The two parts as they stand in YAML.</summary>
internal sealed class EnvironmentPart
{
    public NetworkPart? Network { get; set; }

    public List<ProxyPart> Proxies { get; set; } = [];

    public sealed class NetworkPart
    {
        public List<string> Allow { get; set; } = [];

        public List<AllowedAddress> Addresses { get; set; } = [];
    }

    public sealed class ProxyPart
    {
        public string Name { get; set; } = "";

        public int Port { get; set; }

        public string Target { get; set; } = "";

        public List<string> Addresses { get; set; } = [];

        public string? AuthorityFile { get; set; }

        public List<RulePart> Allow { get; set; } = [];

        public CredentialPart Credential { get; set; } = new();

        public long? MaxRequestBytes { get; set; }

        public long? MaxResponseBytes { get; set; }

        public int? MaxConnections { get; set; }

        public TimeSpan? AnswerTimeout { get; set; }

        public TimeSpan? IdleTimeout { get; set; }

        public ProxyDefinition ToDefinition()
        {
            var plain = new ProxyDefinition { Name = Name, Port = Port, Target = Target };
            return plain with
            {
                Addresses = Addresses,
                AuthorityFile = AuthorityFile,
                Allow = [.. Allow.Select(rule => new ProxyRule(rule.Methods, rule.Path))],
                Credential = Credential.ToCredential(),
                MaxRequestBytes = MaxRequestBytes ?? plain.MaxRequestBytes,
                MaxResponseBytes = MaxResponseBytes ?? plain.MaxResponseBytes,
                MaxConnections = MaxConnections ?? plain.MaxConnections,
                AnswerTimeout = AnswerTimeout ?? plain.AnswerTimeout,
                IdleTimeout = IdleTimeout ?? plain.IdleTimeout,
            };
        }
    }

    public sealed class RulePart
    {
        public List<string> Methods { get; set; } = [];

        public string Path { get; set; } = "";
    }

    public sealed class CredentialPart
    {
        public string Kind { get; set; } = "none";

        public string Header { get; set; } = "";

        public string Prefix { get; set; } = "";

        public string? ValueEnv { get; set; }

        public string? ValueFile { get; set; }

        public string? CredentialFile { get; set; }

        public List<string> Scopes { get; set; } = [];

        public string? TokenEndpoint { get; set; }

        public List<string> TokenAddresses { get; set; } = [];

        public string? MetadataServer { get; set; }

        public string Service { get; set; } = "";

        public string Region { get; set; } = "";

        public string? Profile { get; set; }

        public bool UnsignedPayload { get; set; }

        public ProxyCredential ToCredential() => Kind switch
        {
            "none" => new ProxyCredential.None(),
            "static" => new ProxyCredential.Static(Header, Prefix) { Variable = ValueEnv, File = ValueFile },
            "file" => new ProxyCredential.Renewed(Header, ValueFile!, Prefix),
            "google-adc" => new ProxyCredential.GoogleAdc
            {
                File = CredentialFile, Scopes = Scopes, TokenEndpoint = TokenEndpoint, TokenAddresses = TokenAddresses, MetadataServer = MetadataServer,
            },
            "aws-sigv4" => new ProxyCredential.AwsSigV4(Service, Region) { Profile = Profile, File = CredentialFile, UnsignedPayload = UnsignedPayload },
            _ => throw new FormatException($"no credential is of kind {Kind}"),
        };
    }
}
