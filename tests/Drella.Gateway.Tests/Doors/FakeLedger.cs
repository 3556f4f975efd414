using System.Collections.Concurrent;
using System.Threading.Channels;
using Drella.Core.Budgets;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Gateway.Tests.Doors;

internal sealed class FakeLedger(long limit) : IModelLedger
{
    private readonly Lock gate = new();
    private readonly Dictionary<string, long> held = [];
    private readonly Channel<ModelUsage> settled = Channel.CreateUnbounded<ModelUsage>();

    public long Spent { get; private set; }

    public long HighestCommitted { get; private set; }

    public bool IsStale { get; set; }

    public Task<Reservation> ReserveAsync(Assignment assignment, ModelCall call, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (IsStale)
            {
                return Task.FromResult<Reservation>(new Reservation.Stale());
            }

            if (Spent + held.Values.Sum() + call.MaxCost > limit)
            {
                return Task.FromResult<Reservation>(new Reservation.Exhausted(limit, Spent));
            }

            held.Add(call.CallId, call.MaxCost);
            HighestCommitted = Math.Max(HighestCommitted, Spent + held.Values.Sum());
            return Task.FromResult<Reservation>(new Reservation.Granted(false));
        }
    }

    public Task SettleAsync(Assignment assignment, string callId, ModelUsage usage, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            Assert.True(held.Remove(callId, out var most), "settled what was not reserved");
            Assert.True(usage.Cost <= most, $"cost {usage.Cost} above its reservation {most}");
            Spent += usage.Cost;
        }

        return settled.Writer.WriteAsync(usage, cancellationToken).AsTask();
    }

    public ValueTask<ModelUsage> NextSettledAsync() => settled.Reader.ReadAsync(TestContext.Current.CancellationToken);
}

internal sealed class FakeAudit : IDoorAudit
{
    public ConcurrentQueue<DoorDecision> Decisions { get; } = new();

    public Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken)
    {
        Decisions.Enqueue(decision);
        return Task.CompletedTask;
    }
}
