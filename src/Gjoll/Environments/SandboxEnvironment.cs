namespace Gjoll.Environments;

/// <summary>What a sandbox is to be, as a person writes it in a file. See docs/formats/environment.md.</summary>
public sealed record SandboxEnvironment
{
    public const int CurrentFormat = 1;

    /// <summary>The file's name without its ending, or what stands under <c>name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>A provider's name; null takes the strongest that works.</summary>
    public string? Provider { get; init; }

    /// <summary>As in <see cref="SandboxSpec.Image"/>.</summary>
    public string? Image { get; init; }

    public SandboxLimits Limits { get; init; } = new();

    public string Hostname { get; init; } = "sandbox";

    public WarmStart Warm { get; init; } = WarmStart.Prefer;

    public bool Forkable { get; init; }

    /// <summary>What programs started by <c>gjoll</c> get in their environment.</summary>
    public IReadOnlyDictionary<string, string> Variables { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<EnvironmentFile> Files { get; init; } = [];

    public IReadOnlyList<ReadOnlyFolder> Folders { get; init; } = [];

    /// <summary>A script that the guest's shell runs once, after the first start.</summary>
    public string? Init { get; init; }

    /// <summary>What the guest may reach on the internet; null is nothing.</summary>
    public EgressSection? Egress { get; init; }

    /// <summary>Fixed targets, with a credential that the host adds.</summary>
    public IReadOnlyList<ProxySection> Proxies { get; init; } = [];

    /// <summary>Further doors from the guest to unix sockets of the host.</summary>
    public IReadOnlyList<Forward> Forwards { get; init; } = [];

    /// <summary>Ports of the host's loopback that <c>gjoll forward</c> leads to ports of the guest.</summary>
    public IReadOnlyList<PortSection> Ports { get; init; } = [];

    /// <summary>True when the host has to serve something while the sandbox runs.</summary>
    public bool NeedsDoors => Egress is not null || Proxies.Count > 0;

    /// <summary>The specification of a sandbox of this environment.</summary>
    public SandboxSpec ToSpec(SandboxName name) => new()
    {
        Name = name,
        Limits = Limits,
        Hostname = Hostname,
        Image = Image,
        Start = Warm,
        Forkable = Forkable,
        ReadOnlyFolders = Folders,
        Forwards =
        [
            .. Egress is { } egress ? [new Forward.Tcp(egress.Port, EgressSection.Socket)] : Array.Empty<Forward>(),
            .. Proxies.Select(proxy => new Forward.Tcp(proxy.Port, proxy.Socket)),
            .. Forwards,
        ],
    };
}

/// <param name="Path">In the guest.</param>
/// <param name="Content">The text, or null when it comes from <paramref name="From"/>.</param>
/// <param name="From">A file of the host, by its absolute path.</param>
public sealed record EnvironmentFile(string Path, string? Content, string? From, GuestFileMode Mode);

/// <param name="Port">In the guest, where programs find the proxy.</param>
/// <param name="Allow">Host patterns.</param>
/// <param name="Addresses">Private addresses, with port, that hosts of the list may lead to.</param>
public sealed record EgressSection(int Port, IReadOnlyList<string> Allow, IReadOnlyDictionary<string, string> Addresses)
{
    public const int DefaultPort = 3128;

    /// <summary>In the sandbox's endpoint folder.</summary>
    public const string Socket = "egress.sock";
}

/// <summary>One named proxy: plain HTTP for the guest, a fixed target, and a credential that the host adds.</summary>
public sealed record ProxySection
{
    public required string Name { get; init; }
    public required int Port { get; init; }
    public required string Target { get; init; }

    /// <summary>What may be asked for: any rule that fits is enough.</summary>
    public required IReadOnlyList<ProxyAllowance> Allow { get; init; }

    public CredentialSection Credential { get; init; } = new CredentialSection.None();

    /// <summary>The only addresses, with port, that the target may lead to; empty is any public one.</summary>
    public IReadOnlyList<string> Addresses { get; init; } = [];

    /// <summary>PEM certificates that are trusted for the target instead of the host's.</summary>
    public string? AuthorityFile { get; init; }

    /// <summary>In the sandbox's endpoint folder.</summary>
    public string Socket => $"{Name}.sock";
}

/// <param name="Path"><c>*</c> stands for any text of one segment, <c>/**</c> at the end for all below.</param>
public sealed record ProxyAllowance(IReadOnlyList<string> Methods, string Path);

/// <summary>Where the host finds what it adds to a request; never the secret itself.</summary>
public abstract record CredentialSection
{
    private CredentialSection()
    {
    }

    public sealed record None : CredentialSection;

    /// <param name="IsRenewed">The file is read at each request.</param>
    public sealed record Header(string Name, string Prefix, string? File, string? Variable, bool IsRenewed) : CredentialSection;

    /// <summary>Google's application default credentials.</summary>
    public sealed record Google(string? File) : CredentialSection;

    /// <summary>AWS signature version 4.</summary>
    public sealed record Aws(string Service, string Region, string? Profile, string? File) : CredentialSection;
}

public sealed record PortSection(int Host, int Guest);
