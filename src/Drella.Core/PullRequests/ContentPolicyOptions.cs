namespace Drella.Core.PullRequests;

/// <summary>What a delivered change may touch and how large it may be. Patterns: <c>*</c> inside a name, <c>**</c> over folders, any case.</summary>
public sealed class ContentPolicyOptions
{
    /// <summary>Paths that only a waiver opens: they run code or give rights on machines other than the sandbox.</summary>
    public IList<string> ProtectedPaths { get; set; } =
    [
        ".github/workflows/**", ".github/actions/**", ".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS", ".gitlab/CODEOWNERS", ".gitea/workflows/**",
        ".forgejo/workflows/**", ".gitlab-ci.yml", "**/.gitlab-ci.yml", ".circleci/**", ".travis.yml", ".drone.yml", ".woodpecker/**", ".woodpecker.yml",
        "azure-pipelines.yml", "Jenkinsfile", ".buildkite/**", "**/.gitmodules", "**/.gitattributes", "**/.lfsconfig", "**/.claude/**", "**/.mcp.json",
        "**/.codex/**", "**/.cursor/**", "**/.gemini/**", "**/.opencode/**", "opencode.json", "opencode.jsonc", "**/.vscode/tasks.json", "**/.vscode/settings.json",
        "**/.vscode/launch.json", "**/.idea/**", "**/.devcontainer/**", "**/.devcontainer.json", "**/.husky/**", ".githooks/**", "**/.pre-commit-config.yaml",
        "**/lefthook.yml", "**/.envrc", ".github/dependabot.yml", ".github/copilot-instructions.md",
    ];

    /// <summary>Paths that a reviewer is told about: agents and package managers of others act on them.</summary>
    public IList<string> FlaggedPaths { get; set; } =
    [
        "**/AGENTS.md", "**/CLAUDE.md", "**/GEMINI.md", "**/.npmrc", "**/.yarnrc", "**/.yarnrc.yml", "**/pip.conf", "**/nuget.config", "**/.cargo/config.toml",
    ];

    /// <summary>Hosts that a lock file may name.</summary>
    public IList<string> RegistryHosts { get; set; } =
    [
        "registry.npmjs.org", "registry.yarnpkg.com", "pypi.org", "files.pythonhosted.org", "crates.io", "static.crates.io", "index.crates.io",
        "github.com", "api.nuget.org", "proxy.golang.org", "rubygems.org", "repo.maven.apache.org", "repo1.maven.org", "opencollective.com", "tidelift.com",
    ];

    public int MaxFiles { get; set; } = 500;

    public long MaxFileBytes { get; set; } = 5L << 20;

    public long MaxTotalBytes { get; set; } = 50L << 20;

    public int MaxCommits { get; set; } = 200;

    public int MaxPathLength { get; set; } = 400;

    /// <summary>Address in the guest's own Git identity; commits by others are flagged. Null checks nothing.</summary>
    public string? GuestEmail { get; set; }
}
