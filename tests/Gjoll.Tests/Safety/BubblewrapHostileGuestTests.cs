using Gjoll.Bubblewrap;
using Gjoll.Safety;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.Safety;

/// <summary>The list of attacks, as the only user of a bubblewrap sandbox.</summary>
[Collection(nameof(HostInventory))]
public sealed class BubblewrapHostileGuestTests : IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();
    private BubblewrapProvider _provider = null!;

    public ValueTask InitializeAsync()
    {
        _provider = new BubblewrapProvider(new BubblewrapOptions { StateFolder = _folder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
        await TestHost.RunAsync("rm", "-rf", _folder);
    }

    [Fact]
    public Task HostileGuest_IsHeldOrNamed() => HostileGuestRuns.HoldsAsync(_provider, image: null);

    [Fact]
    public async Task QuickPart_LeavesNothingBehind()
    {
        var before = HostInventory.Take(_folder);

        var rows = await HostileGuest.RunAsync(_provider, image: null, quickOnly: true, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.DoesNotContain(rows, row => row.Outcome == SafetyOutcome.Breach);
        await TestHost.WaitUntilAsync(() => HostInventory.Take(_folder) == before, "nothing is left");
    }
}
