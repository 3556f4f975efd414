namespace Drella.Configuration;

/// <summary>
/// The configuration file, <c>drella.yaml</c>, version 1. Every key, its meaning and its default stand in <c>docs/formats/configuration.md</c>.
/// </summary>
internal sealed record DrellaConfig
{
    /// <summary>Folder of the file; relative paths start here.</summary>
    public required string Folder { get; init; }

    public string Data { get; init; } = ".drella";

    /// <summary>Address of dashboard, API and webhooks.</summary>
    public string Listen { get; init; } = "http://127.0.0.1:4180";

    /// <summary>Address under which people and forges reach us, when a proxy stands in front; null for <see cref="Listen"/>.</summary>
    public string? PublicUrl { get; init; }

    public ForgeConfig Forge { get; init; } = new();

    public IReadOnlyList<TasksConfig> Tasks { get; init; } = [];

    public IReadOnlyList<IssuesConfig> Issues { get; init; } = [];

    /// <summary>Repositories that may be changed, with <c>*</c>.</summary>
    public IReadOnlyList<string> Repositories { get; init; } = [];

    public string IdentityName { get; init; } = "drellabot";

    public string IdentityEmail { get; init; } = "drellabot@users.noreply.localhost";

    public ModelConfig Model { get; init; } = new();

    public decimal JobBudget { get; init; } = 5;

    public decimal MaxJobBudget { get; init; } = 50;

    public int MaxJobs { get; init; } = 2;

    public int MaxJobsPerRepository { get; init; } = 1;

    public int MaxJobsPerAuthor { get; init; } = 2;

    public int MaxRounds { get; init; } = 5;

    public TimeSpan WorkTimeout { get; init; } = TimeSpan.FromHours(2);

    public TimeSpan IdleTimeout { get; init; } = TimeSpan.FromMinutes(10);

    public TimeSpan PollInterval { get; init; } = TimeSpan.FromSeconds(30);

    public IReadOnlyDictionary<string, IReadOnlyList<string>> Pipelines { get; init; } =
        new Dictionary<string, IReadOnlyList<string>> { ["default"] = ["producer"], ["validated"] = ["producer", "validator"] };

    public IReadOnlyDictionary<string, ProfileConfig> Profiles { get; init; } = new Dictionary<string, ProfileConfig> { ["default"] = new([], []) };

    /// <summary>Folder of further roles; those of the same name take the place of the shipped ones.</summary>
    public string? Roles { get; init; }

    public SandboxConfig Sandbox { get; init; } = new();

    public bool RequireMention { get; init; }

    public string DataFolder => Path.GetFullPath(Path.Combine(Folder, Data));
}

/// <summary>Which forge. <c>builtin</c> needs nothing else.</summary>
internal sealed record ForgeConfig
{
    public string Kind { get; init; } = "builtin";

    public string Listen { get; init; } = "http://127.0.0.1:4181";

    public string ApiUrl { get; init; } = "https://api.github.com";

    /// <summary>Name of the environment variable that holds the token.</summary>
    public string? TokenEnvironment { get; init; }

    public string? TokenFile { get; init; }

    /// <summary>URL under which the forge can reach our webhook; null polls only.</summary>
    public string? WebhookUrl { get; init; }
}

internal sealed record TasksConfig(string Repo, string? DefaultTarget);

internal sealed record IssuesConfig(string Repo, string? Label);

/// <summary>Which model answers.</summary>
internal sealed record ModelConfig
{
    /// <summary><c>anthropic</c> or <c>tape</c>.</summary>
    public string Upstream { get; init; } = "anthropic";

    public string BaseUrl { get; init; } = "https://api.anthropic.com";

    public string KeyEnvironment { get; init; } = "ANTHROPIC_API_KEY";

    public string? KeyFile { get; init; }

    /// <summary>Tape to play.</summary>
    public string? Tape { get; init; }

    /// <summary>Where to record traffic; null does not.</summary>
    public string? Record { get; init; }

    public int MaxOutputTokens { get; init; } = 32_000;
}

internal sealed record ProfileConfig(IReadOnlyList<string> AllowedHosts, IReadOnlyList<string> Waivers);

internal sealed record SandboxConfig
{
    public static IReadOnlyList<string> Providers { get; } = ["auto", "qemu", "bubblewrap"];

    public string Provider { get; init; } = "auto";

    /// <summary>What virtual machines boot.</summary>
    public string Image { get; init; } = "drellaos:default";

    /// <summary>Folder of the image store; null for the one of the <c>gjoll</c> command.</summary>
    public string? Images { get; init; }

    /// <summary><c>auto</c>, <c>kvm</c> or <c>tcg</c>.</summary>
    public string Accelerator { get; init; } = "auto";

    /// <summary>With <c>auto</c>: take virtual machines also where they are emulated.</summary>
    public bool AllowSlow { get; init; }

    public long MemoryBytes { get; init; } = 4L << 30;

    public long DiskBytes { get; init; } = 8L << 30;

    public int Processes { get; init; } = 512;

    public double Cpus { get; init; } = 2;

    public TimeSpan Lifetime { get; init; } = TimeSpan.FromHours(12);

    /// <summary>How long the sandbox of a job that failed is kept for a look.</summary>
    public TimeSpan KeepFailed { get; init; } = TimeSpan.FromHours(24);
}
