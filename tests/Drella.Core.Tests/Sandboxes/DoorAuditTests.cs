using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Core.Tests.Sandboxes;

public sealed class DoorAuditTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Refusals_OfAGuestThatKnocksWithoutEndAreKeptAsANumber()
    {
        using var work = await JobAtWork.StartAsync();
        var audit = new DoorAudit(work.Shelf, work.Time);

        for (var i = 0; i < 1000; i++)
        {
            await RecordAsync(work, audit, isAllowed: false);
        }

        Assert.Equal(120, (await DoorsAsync(work)).Count);
        work.Time.Advance(TimeSpan.FromMinutes(1));
        await RecordAsync(work, audit, isAllowed: false);

        var kept = await DoorsAsync(work);
        Assert.Equal(122, kept.Count);
        Assert.Equal(new JobEntry.DoorUsed("egress", "880 more refusals in a minute", false, "flood"), kept[120]);
    }

    [Fact]
    public async Task Openings_AreKeptOrDoNotHappen()
    {
        using var work = await JobAtWork.StartAsync();
        var audit = new DoorAudit(work.Shelf, work.Time);
        for (var i = 0; i < 1200; i++)
        {
            await RecordAsync(work, audit, isAllowed: true);
        }

        var error = await Assert.ThrowsAsync<DriverException>(() => RecordAsync(work, audit, isAllowed: true));

        Assert.Equal(DriverFailure.Exhausted, error.Failure);
        Assert.Equal(1200, (await DoorsAsync(work)).Count);
        await RecordAsync(work, audit, isAllowed: false);
        work.Time.Advance(TimeSpan.FromMinutes(1));
        await RecordAsync(work, audit, isAllowed: true);
        Assert.Equal(1202, (await DoorsAsync(work)).Count);
    }

    private static Task RecordAsync(JobAtWork work, DoorAudit audit, bool isAllowed) =>
        audit.RecordAsync(Floor.NameOf(work.Job), work.Job.Assignment, new DoorDecision("egress", "CONNECT x.test:443", isAllowed, "rule"), Stop);

    private static async Task<List<JobEntry.DoorUsed>> DoorsAsync(JobAtWork work) => [.. (await work.EntriesAsync()).OfType<JobEntry.DoorUsed>()];
}
