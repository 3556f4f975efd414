using Drella.Testing.Contracts;
using Drella.Testing.OpenApi;

namespace Drella.Drivers.Tests.Forges.GitHub;

public sealed class BuiltInContractTests : ForgeContract
{
    private readonly OpenApiGate _gate = OpenApiGate.Load();

    protected override async Task<ForgeWorld> StartAsync(CancellationToken cancellationToken) => await BuiltInWorld.StartAsync(_gate, cancellationToken);

    protected override void Verify() => _gate.AssertClean();
}
