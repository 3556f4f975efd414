using Drella.Core.Agents;
using Drella.Core.Budgets;
using Drella.Core.Jobs;

namespace Drella.Core.Tests.Budgets;

/// <summary>What a running job is told of its limit, and what a superseded one can no longer reserve.</summary>
public sealed class ModelLedgerAtWorkTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Reserve_GrantsUpToTheLimitAndTellsTheAgentOnceThatItIsNear()
    {
        using var work = await JobAtWork.StartAsync(budget: 1000);
        var ledger = new ModelLedger(work.Shelf);

        Assert.Equal(new Reservation.Granted(false), await ReserveAsync(work, ledger, "a", 700));
        Assert.False(work.Live.Control.Reader.TryRead(out _));
        Assert.Equal(new Reservation.Granted(true), await ReserveAsync(work, ledger, "b", 150));
        Assert.Equal(new Reservation.Granted(true), await ReserveAsync(work, ledger, "c", 150));
        Assert.Equal(new Reservation.Exhausted(1000, 0), await ReserveAsync(work, ledger, "d", 1));

        Assert.True(work.Live.Control.Reader.TryRead(out var said));
        Assert.Contains("nearly used up", Assert.IsType<AgentControl.Steer>(said).Message, StringComparison.Ordinal);
        Assert.False(work.Live.Control.Reader.TryRead(out _));
        Assert.Single((await work.EntriesAsync()).OfType<JobEntry.Steered>());
        Assert.True(work.Job.HitBudget);
    }

    [Fact]
    public async Task Warning_IsForOneRunAndTheNextHasItsOwn()
    {
        using var work = await JobAtWork.StartAsync(budget: 1000);
        var ledger = new ModelLedger(work.Shelf);
        await ReserveAsync(work, ledger, "a", 900);
        work.Live.Control.Writer.TryWrite(new AgentControl.Steer("Mind the time."));

        work.Live.ForgetOldWords();

        Assert.True(work.Live.Control.Reader.TryRead(out var kept));
        Assert.Equal(new AgentControl.Steer("Mind the time."), kept);
        Assert.False(work.Live.Control.Reader.TryRead(out _));

        // The run broke before it heard of it. The limit is as near as it was.
        await work.EndAsync(StepName.Work, new StepOutcome.Broken("cut", IsTransient: true, null));
        await work.BeginAsync(StepName.Work);
        Assert.Equal(new Reservation.Granted(true), await ReserveAsync(work, ledger, "b", 50));
        Assert.True(work.Live.Control.Reader.TryRead(out var said));
        Assert.Contains("nearly used up", Assert.IsType<AgentControl.Steer>(said).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Reserve_IsStaleOnceTheWorkIsCancelledOrSuperseded()
    {
        using var work = await JobAtWork.StartAsync(budget: 1000);
        var ledger = new ModelLedger(work.Shelf);
        var old = work.Job.Assignment;
        await work.EndAsync(StepName.Work, new StepOutcome.Revise(RoundCause.Refused, "again"));
        await work.BeginAsync(StepName.Work);

        Assert.IsType<Reservation.Stale>(await ledger.ReserveAsync(old, new ModelCall("a", "m", 1), Stop));
        await work.Live.TellAsync(new JobFact.CancelAsked("ann", "no"), Stop);
        Assert.IsType<Reservation.Stale>(await ReserveAsync(work, ledger, "b", 1));
        Assert.Equal(0, work.Job.Reserved);
    }

    private static Task<Reservation> ReserveAsync(JobAtWork work, ModelLedger ledger, string id, long most) =>
        ledger.ReserveAsync(work.Job.Assignment, new ModelCall(id, "m", most), Stop);
}
