using Drella.Bench.Journal;
using Drella.Core.Budgets;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Gateway;
using Drella.Gateway.Doors;
using Drella.Gateway.Models;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Gateway;

/// <summary>
/// The same calls to the same provider, through the model door and without it, in turn. The door is the whole one: a unix socket, a job at work, the
/// real ledger on a real journal (so each call waits for a durable reservation), the usage meter.
/// </summary>
internal static class GatewayBench
{
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        await using var provider = new StreamingProvider();
        await provider.StartAsync(cancellationToken);
        await using var store = await BenchStore.OpenAsync(Path.Combine(run.Folder, "data"), cancellationToken);
        using var shelf = new JobShelf(store.Journal, TimeProvider.System);
        var job = await AtWorkAsync(shelf, cancellationToken);
        using var upstream = new AnthropicUpstream(new ModelOptions { BaseUrl = provider.Address, ApiKey = "a-credential-that-opens-nothing" });
        await using var gatehouse = GatewayRegistration.ModelsOnly(
            new GatehouseOptions { Folder = Path.Combine(run.Folder, "d") }, new ModelOptions(), upstream, new ModelLedger(shelf), new DoorAudit(shelf, TimeProvider.System),
            TimeProvider.System, NullLoggerFactory.Instance);
        var sandbox = new SandboxName($"{job.Job.Id}-1");
        var doors = await gatehouse.OpenAsync(sandbox, cancellationToken);
        var token = gatehouse.Admit(sandbox, job.Job.Assignment, EgressPolicy.Nothing, new ModelPolicy(["claude-sonnet-4-5"], 32_000));
        using var direct = ModelCaller.Direct(provider.Address);
        using var through = ModelCaller.Through(doors.ModelSocket, token);

        async Task<Pairs> MeasureAsync(Pace pace, int turns)
        {
            provider.Pace = pace;
            var pairs = new Pairs([], []);
            for (var turn = 0; turn < turns + run.Size(3, 0); turn++)
            {
                var (a, b) = (await through.CallAsync(cancellationToken), await direct.CallAsync(cancellationToken));
                if (turn >= run.Size(3, 0))
                {
                    pairs.Through.Add(a);
                    pairs.Direct.Add(b);
                }
            }

            return pairs;
        }

        run.Talk("calls to a provider without delay");
        var bare = await MeasureAsync(Pace.Nothing, run.Size(300, 2));
        run.Talk("calls to a provider that floods");
        var flood = await MeasureAsync(run.IsQuick ? Pace.Flood with { Events = 64 } : Pace.Flood, run.Size(10, 1));
        run.Talk("calls to a provider that takes its time");
        var paced = await MeasureAsync(run.IsQuick ? Pace.Provider with { Events = 5 } : Pace.Provider, run.Size(40, 1));
        return
        [
            BenchRow.Of("first byte, gateway ÷ direct", paced.Ratios(answer => answer.FirstByte.TotalSeconds), "×", 1.1),
            BenchRow.Of("time of a streamed answer, gateway ÷ direct", paced.Ratios(answer => answer.Whole.TotalSeconds), "×", 1.1),
            BenchRow.Of("first byte without a provider's delay, gateway", [.. bare.Through.Select(answer => answer.FirstByte.TotalMilliseconds)], "ms"),
            BenchRow.Of("first byte without a provider's delay, direct", [.. bare.Direct.Select(answer => answer.FirstByte.TotalMilliseconds)], "ms"),
            BenchRow.Of("throughput of a flood, gateway", [.. flood.Through.Select(MegaBytes)], "MB/s"),
            BenchRow.Of("throughput of a flood, direct", [.. flood.Direct.Select(MegaBytes)], "MB/s"),
        ];
    }

    private static double MegaBytes(TimedAnswer answer) => answer.Bytes / 1e6 / answer.Whole.TotalSeconds;

    /// <summary>A job whose agent may call: told by facts, as the factory would, without running its steps.</summary>
    private static async Task<LiveJob> AtWorkAsync(JobShelf shelf, CancellationToken cancellationToken)
    {
        var live = await shelf.OpenAsync(History.Request(1), cancellationToken);
        JobFact[] facts =
        [
            new JobFact.Admit(),
            new JobFact.StepBegins(StepName.Prepare),
            new JobFact.StepEnds(StepName.Prepare, new StepOutcome.Succeeded()),
            new JobFact.StepBegins(StepName.Provision),
            new JobFact.StepEnds(StepName.Provision, new StepOutcome.Succeeded()),
            new JobFact.StepBegins(StepName.Work),
        ];
        foreach (var fact in facts)
        {
            await live.TellAsync(fact, cancellationToken);
        }

        return live;
    }

    /// <summary>What was measured in turn: the n-th of one beside the n-th of the other.</summary>
    private sealed record Pairs(List<TimedAnswer> Through, List<TimedAnswer> Direct)
    {
        public IReadOnlyCollection<double> Ratios(Func<TimedAnswer, double> value) => [.. Through.Zip(Direct, (a, b) => value(a) / value(b))];
    }
}
