using Drella.Core.Journal;
using Drella.Testing.Contracts;

namespace Drella.Drivers.Tests.Journals;

public sealed class SqliteBlobStoreContractTests : BlobStoreContract, IAsyncLifetime
{
    private readonly OpenStore _open = new();

    protected override IBlobStore Blobs => _open.Store.Blobs;

    public async ValueTask InitializeAsync() => await _open.OpenAsync();

    public ValueTask DisposeAsync() => _open.DisposeAsync();
}
