using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gjoll.Tests.Images;

/// <summary>What is shipped for the orchestrator's host.</summary>
public sealed partial class HostFilesTests : IDisposable
{
    private static readonly string _host = Path.Combine(TestHost.RepositoryRoot, "images/host");

    private readonly string _folder = TestHost.MakeFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Unit_IsUnderstoodBySystemd()
    {
        // Its programs are on the host only; everything else is as shipped.
        var unit = Path.Combine(_folder, "drella.service");
        await File.WriteAllTextAsync(unit, (await File.ReadAllTextAsync(Path.Combine(_host, "systemd/drella.service"))).Replace("/usr/share/dotnet/dotnet ", "/bin/true ", StringComparison.Ordinal));

        var (code, output) = await RunAsync("systemd-analyze", "verify", "--man=no", "--recursive-errors=no", unit);

        Assert.True(code == 0 && !output.Contains("drella.service", StringComparison.Ordinal), output);
    }

    [Fact]
    public async Task Unit_IsHardened()
    {
        var (_, output) = await RunAsync("systemd-analyze", "security", "--offline=true", "--no-pager", Path.Combine(_host, "systemd/drella.service"));

        // → Overall exposure level for drella.service: 3.0 OK 🙂
        var exposure = Exposure().Match(output);
        Assert.True(exposure.Success, output);
        Assert.InRange(double.Parse(exposure.Groups[1].ValueSpan, CultureInfo.InvariantCulture), 0, 4.0);
    }

    [Fact]
    public async Task Container_CopiesWhatIsThereOrWhatItsScriptMakes()
    {
        var script = await File.ReadAllTextAsync(Path.Combine(_host, "build"));
        var sources = (await File.ReadAllLinesAsync(Path.Combine(_host, "Containerfile"))).Where(line => line.StartsWith("COPY ", StringComparison.Ordinal)).Select(line => line.Split(' ')[1]).ToList();

        Assert.Equal(5, sources.Count);
        Assert.Contains("stage=artifacts/host\n", script, StringComparison.Ordinal);
        Assert.All(sources, source => Assert.True(
            source.StartsWith("artifacts/host/", StringComparison.Ordinal)
                ? script.Contains("\"$stage" + source["artifacts/host".Length..], StringComparison.Ordinal)
                : Path.Exists(Path.Combine(TestHost.RepositoryRoot, source)),
            $"{source} is neither in the repository nor made by images/host/build."));
        Assert.All(ProjectPath().Matches(script).Select(match => match.Value), path => Assert.True(File.Exists(Path.Combine(TestHost.RepositoryRoot, path)), path));
    }

    [Fact]
    public async Task UnitAndContainer_StartTheSameProgramAsTheSameUser()
    {
        var unit = await File.ReadAllTextAsync(Path.Combine(_host, "systemd/drella.service"));
        var container = await File.ReadAllTextAsync(Path.Combine(_host, "Containerfile")) + await File.ReadAllTextAsync(Path.Combine(_host, "bin/drella"));
        Assert.Contains("ENTRYPOINT [\"/usr/local/bin/drella\"]", container, StringComparison.Ordinal);

        Assert.All(["/usr/share/dotnet/dotnet", "/opt/drella/drella.dll", "/etc/drella/drella.yaml"], path =>
        {
            Assert.Contains(path, unit, StringComparison.Ordinal);
            Assert.Contains(path, container, StringComparison.Ordinal);
        });
        Assert.Contains("\nUser=drella\n", unit, StringComparison.Ordinal);
        Assert.Contains("\nUSER drella\n", container, StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output)> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output + await error);
    }

    [GeneratedRegex("exposure level for .*: ([0-9.]+)")]
    private static partial Regex Exposure();

    [GeneratedRegex(@"src/[A-Za-z./]+\.csproj")]
    private static partial Regex ProjectPath();
}
