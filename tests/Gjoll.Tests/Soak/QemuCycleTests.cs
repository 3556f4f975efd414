using Gjoll.Qemu;
using Gjoll.Tests.Qemu;

namespace Gjoll.Tests.Soak;

[Trait("Category", "Soak")]
[Collection(nameof(HostInventory))]
public sealed class QemuCycleTests(Machines machines) : CycleContract, IClassFixture<Machines>
{
    private readonly QemuProvider _provider = Machines.Make(machines.StateFolder);

    protected override string Folder => machines.StateFolder;

    protected override ISandboxProvider Provider => _provider;

    protected override string ChildProvider => ChildHost.WithQemu;

    protected override int Cycles => SoakLength.Of(3, 50);

    protected override int Kills => SoakLength.Of(3, 200);

    protected override int CycleLength => 2000;

    public override ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public override async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
    }
}
