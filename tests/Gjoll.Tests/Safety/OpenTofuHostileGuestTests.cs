using Gjoll.OpenTofu;
using Gjoll.Safety;
using Gjoll.Tests.OpenTofu;

namespace Gjoll.Tests.Safety;

/// <summary>Machines of somebody else are never attacked: each attack is named as one that nothing here contains.</summary>
public sealed class OpenTofuHostileGuestTests : IDisposable
{
    private readonly string _folder = TestHost.MakeFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task HostileGuest_IsNamedAndNotLetLoose()
    {
        var provider = (OpenTofuProvider)ScriptedTofu.Make(_folder);
        await HostileGuestRuns.HoldsAsync(provider, image: null);

        var rows = await HostileGuest.RunAsync(provider, image: null, quickOnly: false, TimeProvider.System, TestContext.Current.CancellationToken);

        Assert.All(rows, row => Assert.Equal(SafetyOutcome.Declared, row.Outcome));
        Assert.Empty(await provider.ListAsync(TestContext.Current.CancellationToken));
    }
}
