using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.Soak;

[Trait("Category", "Soak")]
[Collection(nameof(HostInventory))]
public sealed class BubblewrapCycleTests : CycleContract
{
    private readonly BubblewrapProvider _provider;

    public BubblewrapCycleTests() =>
        _provider = new BubblewrapProvider(new BubblewrapOptions { StateFolder = Folder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);

    protected override string Folder { get; } = TestHost.MakeFolder();

    protected override ISandboxProvider Provider => _provider;

    protected override string ChildProvider => ChildHost.WithBubblewrap;

    protected override int Cycles => SoakLength.Of(50, 1000);

    protected override int Kills => SoakLength.Of(12, 200);

    protected override int CycleLength => 300;

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
        await TestHost.RunAsync("rm", "-rf", Folder);
    }
}
