using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

/// <summary>What the host keeps of its disk for itself.</summary>
public sealed class BubblewrapReserveTests : IAsyncLifetime
{
    private readonly string _folder = TestHost.MakeFolder();

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync() => await TestHost.RunAsync("rm", "-rf", _folder);

    [Fact]
    public async Task Reserve_RefusesWhatIsNewAndLeavesWhatIsThere()
    {
        await using var provider = Make(reserve: 0);
        await using var cramped = Make(long.MaxValue);
        var spec = Some.Spec();
        await provider.CreateAsync(spec, Cancel);
        var sandbox = (await cramped.FindAsync(spec.Name, Cancel))!;

        foreach (var refused in (Func<Task>[])
            [() => cramped.CreateAsync(Some.Spec(), Cancel), () => sandbox.StartAsync(Cancel), () => sandbox.SnapshotAsync(new SnapshotName("full"), Cancel)])
        {
            var failure = await Assert.ThrowsAsync<GjollException>(refused);
            Assert.True(failure.IsTransient);
            Assert.Contains("kept in reserve", failure.Message, StringComparison.Ordinal);
        }

        Assert.Equal(spec.Name, Assert.Single(await cramped.ListAsync(Cancel)).Name);
        await cramped.DestroyAsync(spec.Name, Cancel);
        Assert.Empty(await provider.ListAsync(Cancel));
    }

    private BubblewrapProvider Make(long reserve) =>
        new(new BubblewrapOptions { StateFolder = _folder, DiskReserveBytes = reserve }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
}
