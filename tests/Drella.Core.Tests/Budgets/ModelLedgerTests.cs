using Drella.Core.Budgets;
using Drella.Core.Jobs;
using Drella.Testing;
using Drella.Testing.Fakes;

namespace Drella.Core.Tests.Budgets;

public sealed class ModelLedgerTests : IAsyncLifetime
{
    private static readonly ModelUsage Nothing = new("m", 0, 0, 0, 0, 0, 200);
    private readonly FakeTime time = new();
    private readonly MemoryJournal journal;
    private readonly JobShelf shelf;
    private LiveJob live = null!;

    public ModelLedgerTests()
    {
        journal = new MemoryJournal(time);
        shelf = new JobShelf(journal, time);
    }

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        live = await shelf.OpenAsync(Some.Request() with { Budget = 1000 }, Token);
        foreach (var step in new[] { StepName.Prepare, StepName.Provision })
        {
            await live.TellAsync(new JobFact.Admit(), Token);
            await live.TellAsync(new JobFact.StepBegins(step), Token);
            await live.TellAsync(new JobFact.StepEnds(step, new StepOutcome.Succeeded()), Token);
        }

        await live.TellAsync(new JobFact.StepBegins(StepName.Work), Token);
    }

    public ValueTask DisposeAsync()
    {
        shelf.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Reserve_GrantsUpToTheLimitAndSaysWhenItIsNear()
    {
        var ledger = new ModelLedger(shelf);

        Assert.Equal(new Reservation.Granted(NearLimit: false), await ledger.ReserveAsync(live.Job.Assignment, Call("c1", 800), Token));
        Assert.Equal(new Reservation.Granted(NearLimit: true), await ledger.ReserveAsync(live.Job.Assignment, Call("c2", 200), Token));
        Assert.Equal(new Reservation.Exhausted(1000, 0), await ledger.ReserveAsync(live.Job.Assignment, Call("c3", 1), Token));
    }

    [Fact]
    public async Task Settle_GivesBackWhatWasNotUsedAndCountsOnce()
    {
        var ledger = new ModelLedger(shelf);
        await ledger.ReserveAsync(live.Job.Assignment, Call("c1", 1000), Token);

        await ledger.SettleAsync(live.Job.Assignment, "c1", Nothing with { Cost = 300 }, Token);
        await ledger.SettleAsync(live.Job.Assignment, "c1", Nothing with { Cost = 300 }, Token);
        await ledger.SettleAsync(live.Job.Assignment, "unknown", Nothing with { Cost = 300 }, Token);

        Assert.Equal((300L, 0L), (live.Job.Spent, live.Job.Reserved));
        Assert.IsType<Reservation.Granted>(await ledger.ReserveAsync(live.Job.Assignment, Call("c2", 700), Token));
    }

    [Fact]
    public async Task Reserve_IsStaleForAnyOtherAssignmentAndForACallIdTwice()
    {
        var ledger = new ModelLedger(shelf);
        var mine = live.Job.Assignment;
        Assignment[] others = [mine with { Attempt = 2 }, mine with { Round = 2 }, mine with { Role = "validator" }, mine with { Job = new JobId("j000000000000") }];
        foreach (var other in others)
        {
            Assert.IsType<Reservation.Stale>(await ledger.ReserveAsync(other, Call("c1", 1), Token));
        }

        await ledger.ReserveAsync(mine, Call("c1", 1), Token);
        Assert.IsType<Reservation.Stale>(await ledger.ReserveAsync(mine, Call("c1", 1), Token));
    }

    [Fact]
    public async Task Reserve_OfManyAtOnceNeverGoesAboveTheLimit()
    {
        var ledger = new ModelLedger(shelf);

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(i => Task.Run(() => ledger.ReserveAsync(live.Job.Assignment, Call($"c{i}", 30), Token))));

        Assert.Equal(33, answers.OfType<Reservation.Granted>().Count());
        Assert.Equal(67, answers.OfType<Reservation.Exhausted>().Count());
        Assert.Equal(990, live.Job.Reserved);
    }

    [Fact]
    public async Task Ledger_IsTheSameAfterARestart()
    {
        var ledger = new ModelLedger(shelf);
        await ledger.ReserveAsync(live.Job.Assignment, Call("c1", 400), Token);
        await ledger.ReserveAsync(live.Job.Assignment, Call("c2", 100), Token);
        await ledger.SettleAsync(live.Job.Assignment, "c1", Nothing with { Cost = 50 }, Token);

        using var again = new JobShelf(journal, time);
        await again.LoadAsync(Token);

        var job = again.Find(live.Job.Id)!.Job;
        Assert.Equal((50L, 100L), (job.Spent, job.Reserved));
    }

    [Fact]
    public async Task Reserve_ThatCouldNotBeWrittenDownIsNotGranted()
    {
        var ledger = new ModelLedger(shelf);
        journal.Fate = (_, _) => AppendFate.DiskFull;

        await Assert.ThrowsAsync<DriverException>(() => ledger.ReserveAsync(live.Job.Assignment, Call("c1", 1), Token));

        journal.Fate = null;
        Assert.Equal(0, live.Job.Reserved);
        Assert.IsType<Reservation.Granted>(await ledger.ReserveAsync(live.Job.Assignment, Call("c1", 1000), Token));
    }

    private static ModelCall Call(string id, long cost) => new(id, "m", cost);
}
