using Drella.Core.Jobs;

namespace Drella.Bench.Factory;

/// <summary>
/// From the moment at which somebody asks the forge to merge a spec (so the merge itself is in it) to the first model call that the gateway has
/// admitted: webhook, intake, queue, fetch, sandbox, clone, the agent's own start.
/// </summary>
internal static class FirstRequestBench
{
    private const string Tape =
        """
        scripts:
        - match: { role: producer }
          steps:
          - say: "Nothing to do."
        """;

    /// <summary>Where the time goes: each entry that ends a stage.</summary>
    private static readonly (string Name, Func<JobEntry, bool> Ends)[] Stages =
    [
        ("merge, webhook, intake: job opened", entry => entry is JobEntry.Opened),
        ("queue and fetch: base known", entry => entry is JobEntry.BaseResolved),
        ("sandbox up and workspace cloned", entry => entry is JobEntry.StepSucceeded { Step: StepName.Provision }),
        ("status comment and doors: agent about to start", entry => entry is JobEntry.AgentStarted),
        ("the agent's own start: first model request", entry => entry is JobEntry.CallReserved),
    ];

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        await using var world = await FactoryWorld.StartAsync(Path.Combine(run.Folder, "f"), Tape, cancellationToken);
        var warmUps = run.Size(2, 0);
        var whole = new List<double>();
        var stages = Stages.Select(_ => new List<double>()).ToArray();
        for (var turn = 0; turn < run.Size(25, 1) + warmUps; turn++)
        {
            var merge = await world.MergeSpecAsync($"spec-{turn}", cancellationToken);
            var (at, job) = await world.WhenAsync(merge.Spec, seen => seen.Spent > 0 || !seen.Reservations.IsEmpty, cancellationToken);
            await world.CancelAsync(job, cancellationToken);
            if (turn < warmUps)
            {
                continue;
            }

            whole.Add((at - merge.Asked).TotalSeconds);
            var entries = await world.EntriesAsync(job, cancellationToken);
            var before = merge.Asked;
            for (var stage = 0; stage < Stages.Length; stage++)
            {
                var end = entries.First(entry => Stages[stage].Ends(entry.Entry)).At;
                stages[stage].Add((end - before).TotalSeconds);
                before = end;
            }
        }

        return
        [
            BenchRow.Of("merged spec → first model request", whole, "s", 1.5),
            .. Stages.Select((stage, index) => BenchRow.Of($"of it: {stage.Name}", stages[index], "s")),
        ];
    }
}
