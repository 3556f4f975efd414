using Drella.Core;
using Drella.Core.Journal;
using Drella.Testing.Contracts;
using Drella.Testing.Fakes;

namespace Drella.Drivers.Tests.Journals;

public sealed class MemoryJournalTests : JournalContract
{
    private readonly MemoryJournal _journal = new(TimeProvider.System);

    protected override IJournal Journal => _journal;

    [Theory]
    [InlineData(AppendFate.CrashBefore, 1)]
    [InlineData(AppendFate.CrashAfter, 3)]
    public async Task Fate_CrashesBeforeOrAfterTheWholeAppendIsKept(AppendFate fate, int kept)
    {
        var stream = new StreamId("job/a");
        await _journal.AppendAsync(stream, 0, [Entry(1)], TestContext.Current.CancellationToken);
        _journal.Fate = (_, entry) => entry.Kind == "chosen" ? fate : AppendFate.Kept;

        await Assert.ThrowsAsync<SimulatedCrashException>(
            () => _journal.AppendAsync(stream, 1, [Entry(2), Entry(3) with { Kind = "chosen" }], TestContext.Current.CancellationToken));

        Assert.Equal(kept, _journal.Count);
        Assert.Null((await _journal.VerifyAsync(null, TestContext.Current.CancellationToken)).FirstBad);
    }

    [Fact]
    public async Task Fate_RefusesAsAFullDiskDoes()
    {
        _journal.Fate = (_, _) => AppendFate.DiskFull;

        var refused = await Assert.ThrowsAsync<DriverException>(
            () => _journal.AppendAsync(new StreamId("job/a"), 0, [Entry(1)], TestContext.Current.CancellationToken));

        Assert.Equal(DriverFailure.Exhausted, refused.Failure);
        Assert.Equal(0, _journal.Count);
    }
}
