using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

/// <summary>With everything this host offers.</summary>
public class BubblewrapContractTests : LocalSandboxContract
{
    protected override ISandboxProvider MakeProvider(string stateFolder) => Make(new BubblewrapOptions { StateFolder = stateFolder });

    protected override string ChildProvider => ChildHost.WithBubblewrap;

    protected static BubblewrapProvider Make(BubblewrapOptions options) => new(options, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
}

/// <summary>As on a host with neither cgroups nor loop mounts.</summary>
public sealed class PlainBubblewrapContractTests : BubblewrapContractTests
{
    // What only takes long has been seen to work above.
    protected override int SmallExecs => 200;

    protected override long LargeFile => 64 << 20;

    protected override ISandboxProvider MakeProvider(string stateFolder) =>
        Make(new BubblewrapOptions { StateFolder = stateFolder, UseCgroups = false, UseDiskImages = false });
}
