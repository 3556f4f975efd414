using Drella.Core.Journal;
using Drella.Testing.Contracts;
using Drella.Testing.Fakes;

namespace Drella.Drivers.Tests.Journals;

public sealed class MemoryBlobStoreTests : BlobStoreContract
{
    protected override IBlobStore Blobs { get; } = new MemoryBlobStore();
}
