using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

/// <summary>With everything this host offers.</summary>
public class BubblewrapContractTests : SandboxContract
{
    protected override ISandboxProvider MakeProvider(string stateFolder) => Make(new BubblewrapOptions { StateFolder = stateFolder });

    protected static BubblewrapProvider Make(BubblewrapOptions options) => new(options, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
}

/// <summary>As on a host with neither cgroups nor loop mounts.</summary>
public sealed class PlainBubblewrapContractTests : BubblewrapContractTests
{
    protected override ISandboxProvider MakeProvider(string stateFolder) =>
        Make(new BubblewrapOptions { StateFolder = stateFolder, UseCgroups = false, UseDiskImages = false });
}
