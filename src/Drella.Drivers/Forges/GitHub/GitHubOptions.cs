namespace Drella.Drivers.Forges.GitHub;

/// <summary>How to reach a GitHub, a GitHub Enterprise host, or the built-in forge, and as whom. Exactly one of token and app is set.</summary>
public sealed record GitHubOptions
{
    /// <summary>Name of this forge in the configuration and in keys.</summary>
    public required string Name { get; init; }

    /// <summary>Root of the REST interface, such as <c>https://api.github.com</c> or <c>http://127.0.0.1:8080/api/v3</c>.</summary>
    public string ApiUrl { get; init; } = "https://api.github.com";

    /// <summary>GraphQL endpoint; derived from <see cref="ApiUrl"/> when null.</summary>
    public string? GraphQlUrl { get; init; }

    /// <summary>Root of the pages for people and of Git; derived from <see cref="ApiUrl"/> when null.</summary>
    public string? WebUrl { get; init; }

    /// <summary>A personal access token.</summary>
    public string? Token { get; init; }

    /// <summary>A GitHub App; preferred over a token, since what it signs in with is short-lived and bound to one repository.</summary>
    public GitHubApp? App { get; init; }

    /// <summary>Pause between two writes; null means one second on github.com, as it asks for, and none elsewhere.</summary>
    public TimeSpan? WriteGap { get; init; }

    /// <summary>Longest time for one exchange, body included.</summary>
    public TimeSpan RequestTimeout { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>Rate limits that end within this time are waited for; longer ones are reported as throttled.</summary>
    public TimeSpan MaxWait { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>Largest answer that is read.</summary>
    public int MaxResponseBytes { get; init; } = 64 << 20;

    /// <summary>Room for answers kept to be asked for again by their ETag.</summary>
    public int CacheBytes { get; init; } = 16 << 20;

    /// <summary>Lets the token travel over plain HTTP to a host that is not this machine.</summary>
    public bool AllowPlainHttp { get; init; }

    public override string ToString() => $"{Name} ({ApiUrl})";
}

/// <summary>Identity of a GitHub App.</summary>
public sealed record GitHubApp
{
    /// <summary>Client id, or the older numeric app id, as text.</summary>
    public required string ClientId { get; init; }

    /// <summary>The private RSA key in PEM.</summary>
    public required string PrivateKeyPem { get; init; }

    /// <summary>The installation to act in; null looks it up for each repository.</summary>
    public long? InstallationId { get; init; }

    public override string ToString() => ClientId;
}
