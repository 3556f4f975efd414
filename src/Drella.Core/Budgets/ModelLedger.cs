using Drella.Core.Jobs;

namespace Drella.Core.Budgets;

/// <summary>The ledger over the jobs' own journal streams: reservations and settlements are entries like any other.</summary>
internal sealed class ModelLedger(JobShelf shelf) : IModelLedger
{
    public async Task<Reservation> ReserveAsync(Assignment assignment, ModelCall call, CancellationToken cancellationToken)
    {
        if (shelf.Find(assignment.Job) is not { } live || live.Job.Assignment != assignment)
        {
            return new Reservation.Stale();
        }

        var entries = await live.TellAsync(new JobFact.Reserve(call, assignment.Role), cancellationToken);
        return entries switch
        {
            [JobEntry.CallReserved] => new Reservation.Granted(NearLimit: live.Job.Spent + live.Job.Reserved > live.Job.BudgetLimit * 8 / 10),
            [JobEntry.CallRefused] => new Reservation.Exhausted(live.Job.BudgetLimit, live.Job.Spent),
            _ => new Reservation.Stale(),
        };
    }

    public async Task SettleAsync(Assignment assignment, string callId, ModelUsage usage, CancellationToken cancellationToken)
    {
        if (shelf.Find(assignment.Job) is { } live)
        {
            await live.TellAsync(new JobFact.Settle(callId, usage), cancellationToken);
        }
    }
}
