using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

public sealed class BubblewrapContractTests : SandboxContract
{
    protected override ISandboxProvider MakeProvider(string stateFolder) =>
        new BubblewrapProvider(new BubblewrapOptions { StateFolder = stateFolder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
}
