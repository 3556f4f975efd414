using Drella.Core;
using Drella.Drivers.Agents;
using Drella.Drivers.Agents.ClaudeCode;
using Drella.Drivers.Processes;

namespace Drella.Drivers.Tests.Agents;

/// <summary>Installation with an npm of our own, which writes what a test wants.</summary>
[System.Runtime.Versioning.SupportedOSPlatform("linux")]
public sealed class AgentProgramsTests : IDisposable
{
    private readonly string _root = Directory.CreateTempSubdirectory("drella-programs-").FullName;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(_root, recursive: true);

    [Fact]
    public async Task Ensure_InstallsOnceAndIsIdempotent()
    {
        var programs = Programs(Npm(ClaudeCodeRelease.Version, ClaudeCodeRelease.Integrity));
        Assert.NotNull(programs.Problem());

        await programs.EnsureAsync(null, Cancelled);
        await programs.EnsureAsync(null, Cancelled);

        Assert.Null(programs.Problem());
        Assert.True(File.Exists(Path.Combine(programs.Folder("claude-code"), ClaudeCodeRelease.ProgramPath)));
        Assert.Single(await File.ReadAllLinesAsync(Path.Combine(_root, "calls"), Cancelled));
    }

    [Theory]
    [InlineData("2.1.331", ClaudeCodeRelease.Integrity)]
    [InlineData(ClaudeCodeRelease.Version, "sha512-else")]
    public async Task Ensure_RefusesAnythingButThePin(string version, string integrity)
    {
        var programs = Programs(Npm(version, integrity));

        var failure = await Assert.ThrowsAsync<DriverException>(() => programs.EnsureAsync(null, Cancelled));

        Assert.Equal(DriverFailure.Conflict, failure.Failure);
        Assert.Empty(Directory.EnumerateFileSystemEntries(Path.Combine(_root, "programs", "claude-code")));
    }

    [Fact]
    public async Task Ensure_SaysTheRemedyWhenNpmIsMissing()
    {
        var failure = await Assert.ThrowsAsync<DriverException>(() => Programs(Path.Combine(_root, "absent")).EnsureAsync(null, Cancelled));

        Assert.Contains("Install Node.js", failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Folder_OfAnUnknownAgentIsInvalid() =>
        Assert.Equal(DriverFailure.Invalid, Assert.Throws<DriverException>(() => Programs("npm").Folder("../x")).Failure);

    private AgentPrograms Programs(string npm) =>
        new(Path.Combine(_root, "programs"), new ProcessRunner(TimeProvider.System)) { Npm = npm };

    private string Npm(string version, string integrity)
    {
        var file = Path.Combine(_root, "npm");
        File.WriteAllText(file, $$"""
            #!/bin/sh
            echo "$@" >> {{_root}}/calls
            mkdir -p {{ClaudeCodeRelease.PackagePath}}
            touch {{ClaudeCodeRelease.PackagePath}}/{{ClaudeCodeRelease.ProgramPath}}
            echo '{"packages":{"node_modules/{{ClaudeCodeRelease.Package}}":{"version":"{{version}}","integrity":"{{integrity}}" } } }' > node_modules/.package-lock.json
            """);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return file;
    }
}
