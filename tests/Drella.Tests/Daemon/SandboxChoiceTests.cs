using Drella.Configuration;
using Drella.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Tests.Daemon;

public sealed class SandboxChoiceTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("drella-").FullName;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public async Task Auto_FallsBackToBubblewrapAndSaysWhy()
    {
        await using var choice = await MakeAsync("auto");

        Assert.Equal(SandboxChoice.Bubblewrap, choice.Provider.Name);
        Assert.True(choice.Works);
        Assert.False(choice.IsSlow);
        Assert.StartsWith("qemu is not used: ", Assert.Single((await choice.Host.ProbeAsync(Token)).Notes), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Qemu_ThatCannotWorkIsNotReplacedByAnythingWeaker()
    {
        await using var choice = await MakeAsync("qemu");
        var report = await choice.Host.ProbeAsync(Token);

        Assert.Equal(SandboxChoice.Qemu, choice.Provider.Name);
        Assert.False(choice.Works);
        Assert.False(report.Works);
        Assert.NotEmpty(report.Problem!);
        Assert.True(choice.Prepared.IsCompletedSuccessfully);
    }

    /// <summary>There is no image in the store, so no machine can start.</summary>
    private Task<SandboxChoice> MakeAsync(string provider) => SandboxChoice.MakeAsync(
        new DrellaConfig { Folder = folder, Sandbox = new SandboxConfig { Provider = provider, Images = "images" } }, folder, folder, TimeProvider.System, NullLoggerFactory.Instance, Token);
}
