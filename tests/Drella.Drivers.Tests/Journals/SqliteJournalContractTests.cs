using Drella.Core.Journal;
using Drella.Testing.Contracts;

namespace Drella.Drivers.Tests.Journals;

public sealed class SqliteJournalContractTests : JournalContract, IAsyncLifetime
{
    private readonly OpenStore _open = new();

    protected override IJournal Journal => _open.Store.Journal;

    public async ValueTask InitializeAsync() => await _open.OpenAsync();

    public ValueTask DisposeAsync() => _open.DisposeAsync();
}
