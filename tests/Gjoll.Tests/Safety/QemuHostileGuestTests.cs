using Gjoll.Qemu;
using Gjoll.Tests.Images;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.Safety;

/// <summary>The list of attacks, as root of a virtual machine.</summary>
[Collection(nameof(HostInventory))]
public sealed class QemuHostileGuestTests : IClassFixture<MinimalImage>, IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();
    private QemuProvider _provider = null!;

    public ValueTask InitializeAsync()
    {
        _provider = new QemuProvider(
            new QemuOptions { StateFolder = _folder, ImageFolder = MinimalImage.StoreFolder, DefaultImage = "drellaos:minimal", Accelerator = Accelerator.Tcg, DiskReserveBytes = 0 },
            TimeProvider.System, NullLogger<QemuProvider>.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
        await TestHost.RunAsync("rm", "-rf", _folder);
    }

    [Fact]
    public async Task HostileGuest_IsHeldOrNamed()
    {
        // The shape of the sandboxes that are attacked: they then start warm.
        await _provider.PrepareAsync(null, new SandboxLimits { MemoryBytes = 512L << 20, Cpus = 1 }, TestContext.Current.CancellationToken);

        await HostileGuestRuns.HoldsAsync(_provider, "drellaos:minimal");
    }
}
