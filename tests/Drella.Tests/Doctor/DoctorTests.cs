using Drella.Configuration;
using Drella.Doctor;
using Drella.Drivers.Sandboxes.Gjoll;
using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Tests.Doctor;

/// <summary>A check that cannot fail proves nothing: each is fed with a control that is broken.</summary>
public sealed class DoctorTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("drella-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Sandbox_HoldsAgainstEveryAttackOnThisMachine()
    {
        var checks = await SandboxProbes.RunAsync(new DrellaConfig { Folder = folder, Sandbox = new SandboxConfig { Provider = "bubblewrap" } }, folder, TimeProvider.System, Token);

        Assert.All(checks, check => Assert.True(check.Ok, $"{check.Name}: {check.Detail}"));
        Assert.Equal(8, checks.Count);
    }

    [Fact]
    public async Task Doors_ThatLetEverybodyThroughAreFound()
    {
        var checks = await AttackAsync("200 OK", hasDenied: true);

        Assert.Equal(["blocked host, by proxy", "foreign token refused"], checks.Where(check => !check.Ok).Select(check => check.Name));
        Assert.Contains("HTTP/1.1 200 OK", checks[0].Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Refusal_ThatIsNotWrittenDownIsFound()
    {
        Assert.DoesNotContain(await AttackAsync("403 Forbidden", hasDenied: true), check => check is { Name: "blocked host, by proxy", Ok: false });

        var silent = (await AttackAsync("403 Forbidden", hasDenied: false)).Single(check => check.Name == "blocked host, by proxy");

        Assert.False(silent.Ok);
        Assert.Contains("not written down", silent.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Walls_ThatAreNotThereAreFoundAndSecretsAreNotRepeated()
    {
        const string Secret = "hunter2-of-the-host";
        await using var doors = new OpenDoors(folder, "200 OK");
        var none = new NoSandbox(folder, new Dictionary<string, string> { ["FORGE_PASSWORD"] = Secret });

        var checks = await new SandboxAttack(none, doors, () => true, folder) { Elsewhere = [] }.RunAsync(Token);

        Assert.All(checks, check => Assert.False(check.Ok, check.Name));
        Assert.Contains("reached 127.0.0.1:", checks.Single(check => check.Name == "blocked host, directly").Detail, StringComparison.Ordinal);
        Assert.Contains("FORGE_PASSWORD", checks.Single(check => check.Name == "no credential inside").Detail, StringComparison.Ordinal);
        Assert.All(checks, check => Assert.DoesNotContain(Secret, check.Detail, StringComparison.Ordinal));
        Assert.All(checks, check => Assert.DoesNotContain(SandboxAttack.Canary, check.Detail, StringComparison.Ordinal));
        Assert.True(none.IsDestroyed);
    }

    [Fact]
    public async Task Journal_KeepsWhatItAcknowledgedAndADiskThatForgetsIsFound()
    {
        var acknowledged = await JournalProbe.WriteAndKillAsync(folder, Token);
        var kept = await JournalProbe.JudgeAsync(folder, acknowledged, TimeProvider.System, Token);
        Assert.True(kept.Ok, kept.Detail);

        var forgetful = Directory.CreateDirectory(Path.Combine(folder, "forgetful")).FullName;
        acknowledged = await JournalProbe.WriteAndKillAsync(forgetful, Token);
        await File.WriteAllBytesAsync(Path.Combine(forgetful, "journal.db-wal"), [], Token);
        Assert.False((await JournalProbe.JudgeAsync(forgetful, acknowledged, TimeProvider.System, Token)).Ok);
    }

    /// <summary>A real sandbox behind doors that are not.</summary>
    private async Task<IReadOnlyList<Check>> AttackAsync(string answer, bool hasDenied)
    {
        var place = Directory.CreateDirectory(Path.Combine(folder, Path.GetRandomFileName())).FullName;
        await using var doors = new OpenDoors(place, answer);
        await using var provider = new BubblewrapProvider(new BubblewrapOptions { StateFolder = Path.Combine(place, "s") }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        var host = new GjollHost(provider, _ => place);
        var checks = await new SandboxAttack(host, doors, () => hasDenied, place) { Elsewhere = [] }.RunAsync(Token);
        Assert.Empty(await host.ListAsync(Token));
        return checks;
    }
}
