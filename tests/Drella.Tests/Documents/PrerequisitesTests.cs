using System.Diagnostics;

namespace Drella.Tests.Documents;

public sealed class PrerequisitesTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("drella-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Script_ListsWhatIsMissingAndWhyWhereItMayNotInstall()
    {
        // Without apt-get on the path it may not install, whoever runs it.
        foreach (var tool in new[] { "bash", "dirname", "id", "mktemp", "rm", "sed", "tail" })
        {
            File.CreateSymbolicLink(Path.Combine(folder, tool), $"/usr/bin/{tool}");
        }

        var start = new ProcessStartInfo("/usr/bin/bash", [Path.Combine(DocumentTests.Root, "scripts", "prerequisites"), "demo"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        start.Environment.Clear();
        start.Environment["PATH"] = folder;
        using var script = Process.Start(start)!;
        var output = script.StandardOutput.ReadToEndAsync(Token);
        var talk = await script.StandardError.ReadToEndAsync(Token);
        await script.WaitForExitAsync(Token);

        Assert.Equal(1, script.ExitCode);
        Assert.Equal("", await output);
        Assert.All(
            new[] { "  git: carries", "  bubblewrap: makes", "  gcc: links", "  sudo apt-get install -y git bubblewrap gcc lld", "  dotnet: the .NET 10 SDK", "  node: Node.js 20", "  npm: it comes" },
            line => Assert.Contains(line, talk, StringComparison.Ordinal));
    }
}
