using System.Text.Json;
using Drella.Core;
using Drella.Drivers.Agents.ClaudeCode;
using Drella.Drivers.Processes;

namespace Drella.Drivers.Agents;

/// <summary>
/// Where the agents' programs lie on the host, and how they get there: pinned version, pinned integrity, no install script.
/// Layout: <c>ROOT/AGENT/VERSION/node_modules/…</c>; the package's folder is what a sandbox is given.
/// </summary>
/// <param name="root">Host folder of the programs, such as <c>.agent</c> of the installation.</param>
/// <param name="processes">Runs npm.</param>
/// <param name="stubFolder">Folder of the built <c>drella-stub-agent</c>; null when the stub is not offered.</param>
public sealed class AgentPrograms(string root, ProcessRunner processes, string? stubFolder = null)
{
    private readonly string _root = Path.GetFullPath(root);

    /// <summary>The npm program.</summary>
    public string Npm { get; init; } = "npm";

    private string Installation => Path.Combine(_root, ClaudeCodeRelease.AgentId, ClaudeCodeRelease.Version);

    /// <summary>The pinned version of an agent, which an image must hold to be taken for it; null when none is pinned.</summary>
    public static string? Version(string agent) => agent == ClaudeCodeRelease.AgentId ? ClaudeCodeRelease.Version : null;

    /// <summary>Host folder of an agent's program by adapter id; it may not be there yet.</summary>
    /// <exception cref="DriverException">No agent of that id is known.</exception>
    public string Folder(string agent) => agent switch
    {
        ClaudeCodeRelease.AgentId => Path.Combine(Installation, ClaudeCodeRelease.PackagePath),
        Stub.StubAgentAdapter.AgentId when stubFolder is not null => stubFolder,
        _ => throw new DriverException(false, $"No program is known for the agent '{agent}'.") { Failure = DriverFailure.Invalid },
    };

    /// <summary>Says what is wrong with the installed Claude Code; null when it is the pinned one.</summary>
    public string? Problem() => Problem(Installation);

    /// <summary>Installs Claude Code when it is not there as pinned. Idempotent; a broken or half installation is replaced whole.</summary>
    public async Task EnsureAsync(IProgress<string>? progress, CancellationToken cancellationToken)
    {
        var folder = Installation;
        if (Problem(folder) is not { } reason)
        {
            progress?.Report($"Claude Code {ClaudeCodeRelease.Version} is installed");
            return;
        }

        progress?.Report($"Installing Claude Code {ClaudeCodeRelease.Version} from npm ({reason})");
        var parent = Path.GetDirectoryName(folder)!;
        Directory.CreateDirectory(parent);
        var fresh = Path.Combine(parent, $".{ClaudeCodeRelease.Version}.{Path.GetRandomFileName()}");
        try
        {
            await InstallAsync(fresh, cancellationToken);
            if (Problem(fresh) is { } wrong)
            {
                throw new DriverException(false, $"npm installed something else than the pinned Claude Code: {wrong}") { Failure = DriverFailure.Conflict };
            }

            if (Directory.Exists(folder))
            {
                Directory.Delete(folder, recursive: true);
            }

            Directory.Move(fresh, folder);
        }
        finally
        {
            if (Directory.Exists(fresh))
            {
                Directory.Delete(fresh, recursive: true);
            }
        }

        progress?.Report($"Claude Code {ClaudeCodeRelease.Version} installed");
    }

    private async Task InstallAsync(string folder, CancellationToken cancellationToken)
    {
        // npm looks for a project from the prefix upwards: an own, empty one keeps it here.
        Directory.CreateDirectory(folder);
        await File.WriteAllTextAsync(Path.Combine(folder, "package.json"), """{"private":true}""", cancellationToken);
        try
        {
            await processes.RunCheckedAsync(
                new ProcessSpec
                {
                    Program = Npm,
                    Arguments =
                    [
                        "install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", "--no-update-notifier",
                        "--prefix", folder, $"{ClaudeCodeRelease.Package}@{ClaudeCodeRelease.Version}",
                    ],
                    WorkingFolder = folder,
                    Timeout = TimeSpan.FromMinutes(20),
                },
                cancellationToken);
        }
        catch (DriverException failure) when (failure.Failure == DriverFailure.NotFoundOrNoAccess)
        {
            throw new DriverException(
                false,
                "npm is needed to install Claude Code and is not on the PATH. Install Node.js 20 or later (Debian: apt-get install nodejs npm) and try again.",
                failure)
            {
                Failure = DriverFailure.NotFoundOrNoAccess,
            };
        }
    }

    /// <summary>npm checks the tarball against the integrity that it notes in its hidden lock file; the pin is checked against that note.</summary>
    private static string? Problem(string folder)
    {
        var program = Path.Combine(folder, ClaudeCodeRelease.PackagePath, ClaudeCodeRelease.ProgramPath);
        var lockFile = Path.Combine(folder, "node_modules", ".package-lock.json");
        if (!File.Exists(program) || !File.Exists(lockFile))
        {
            return "it is not there";
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(lockFile));
            var package = document.RootElement.GetProperty("packages").GetProperty(ClaudeCodeRelease.PackagePath);
            var version = package.GetProperty("version").GetString();
            var integrity = package.GetProperty("integrity").GetString();
            return (version, integrity) switch
            {
                _ when version != ClaudeCodeRelease.Version => $"version {version} instead of {ClaudeCodeRelease.Version}",
                _ when integrity != ClaudeCodeRelease.Integrity => $"integrity {integrity} instead of {ClaudeCodeRelease.Integrity}",
                _ => null,
            };
        }
        catch (Exception failure) when (failure is JsonException or KeyNotFoundException or InvalidOperationException)
        {
            return "its lock file cannot be read";
        }
    }
}
