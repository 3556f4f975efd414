using System.Collections.Concurrent;
using Drella.Core.Agents;
using Drella.Core.Jobs;

namespace Drella.Core.Budgets;

/// <summary>The ledger over the jobs' own journal streams: reservations and settlements are entries like any other.</summary>
internal sealed class ModelLedger(JobShelf shelf) : IModelLedger
{
    private const string WrapUp =
        "From the factory: the budget of this job is nearly used up. Commit what is good now, push it with open_pr or update_pr, and say what is left.";

    // The run that was told, and the limit that was near: the next run has not heard it, and a raise lets the same one be told again.
    private readonly ConcurrentDictionary<(Assignment Run, int Try, long Limit), bool> told = new();

    public async Task<Reservation> ReserveAsync(Assignment assignment, ModelCall call, CancellationToken cancellationToken)
    {
        if (shelf.Find(assignment.Job) is not { } live || live.Job.Assignment != assignment)
        {
            return new Reservation.Stale();
        }

        var entries = await live.TellAsync(new JobFact.Reserve(call, assignment.Role), cancellationToken);
        switch (entries)
        {
            case [JobEntry.CallReserved]:
                var job = live.Job;
                var isNear = job.Spent + job.Reserved > job.BudgetLimit * 8 / 10;
                if (isNear)
                {
                    await TellOnceAsync(live, job.BudgetLimit, cancellationToken);
                }

                return new Reservation.Granted(isNear);
            case [JobEntry.CallRefused]:
                return new Reservation.Exhausted(live.Job.BudgetLimit, live.Job.Spent);
            default:
                return new Reservation.Stale();
        }
    }

    public async Task SettleAsync(Assignment assignment, string callId, ModelUsage usage, CancellationToken cancellationToken)
    {
        if (shelf.Find(assignment.Job) is { } live)
        {
            await live.TellAsync(new JobFact.Settle(callId, usage), cancellationToken);
        }
    }

    private async Task TellOnceAsync(LiveJob live, long limit, CancellationToken cancellationToken)
    {
        if (told.TryAdd((live.Job.Assignment, live.Job.Tries, limit), true))
        {
            await live.RecordAsync(new JobEntry.Steered(WrapUp, "drella"), cancellationToken);
            live.Control.Writer.TryWrite(new AgentControl.Steer(WrapUp, IsOfOneRun: true));
        }
    }
}
