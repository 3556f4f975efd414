namespace Drella.Drivers.Agents.ClaudeCode;

/// <summary>
/// The one release of Claude Code that is used. The platform package holds the program itself: no wrapper, no node, no install script.
/// Changing the version means: new integrity (<c>npm view PACKAGE@VERSION dist.integrity</c>), new recordings, hostile repository test again.
/// </summary>
public static class ClaudeCodeRelease
{
    public const string AgentId = "claude-code";

    public const string Version = "2.1.330";

    public const string Package = "@anthropic-ai/claude-code-linux-x64";

    /// <summary>Subresource integrity of the package's tarball, as the registry published it.</summary>
    public const string Integrity = "sha512-9Gn+V7DtJ8M1nztP9CeDVl9g3RtrepI7rOFTyPRRnZe8D6zebIHKmC7OvBauucuAP0X0k85SDN/LPVZyjsGezQ==";

    /// <summary>Where npm puts the package below the folder that it installs into. The package's folder is what a sandbox is given.</summary>
    public const string PackagePath = $"node_modules/{Package}";

    /// <summary>The program below the agent's folder, in the package and in images alike.</summary>
    public const string ProgramPath = "claude";
}
