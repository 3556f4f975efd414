using Drella.Core.Jobs;
using Drella.Core.Roles;

namespace Drella.Bench.Factory;

/// <summary>
/// The demo's spec through the whole factory, from the request to merge it to the pull request that waits for people, beside the same Claude Code on
/// the same tape with the same prompt, started in a clone by hand. The bare run has no sandbox, no gateway, no policy and no forge: its tools
/// answer at once.
/// </summary>
internal static class JobBench
{
    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var tape = await File.ReadAllTextAsync(FactoryWorld.Shipped("tape.yaml"), cancellationToken);
        await using var world = await FactoryWorld.StartAsync(Path.Combine(run.Folder, "f"), tape, cancellationToken);
        await using var bare = await BareClaude.StartAsync(Path.Combine(run.Folder, "bare"), world.Daemon.Config.DataFolder, tape, cancellationToken);
        var warmUps = run.Size(1, 0);
        var (factory, alone, ratios) = (new List<double>(), new List<double>(), new List<double>());
        var (before, inside, after) = (new List<double>(), new List<double>(), new List<double>());
        for (var turn = 0; turn < run.Size(8, 1) + warmUps; turn++)
        {
            var merge = await world.MergeSpecAsync($"spec-{turn}", cancellationToken);
            var (at, job) = await world.WhenAsync(merge.Spec, seen => seen is { Phase: JobPhase.InReview, Step: null }, cancellationToken);
            var through = (at - merge.Asked).TotalSeconds;
            var prompt = Prompts.ForProducer(job with { Cause = RoundCause.Spec });
            var without = (await bare.RunAsync(job.Producer, prompt, cancellationToken)).TotalSeconds;
            run.Talk(FormattableString.Invariant($"{through:N2} s through the factory, {without:N2} s alone"));
            if (turn >= warmUps)
            {
                factory.Add(through);
                alone.Add(without);
                ratios.Add(through / without);
                var entries = await world.EntriesAsync(job, cancellationToken);
                var began = entries.First(entry => entry.Entry is JobEntry.AgentStarted).At;
                var ended = entries.First(entry => entry.Entry is JobEntry.AgentEnded).At;
                before.Add((began - merge.Asked).TotalSeconds);
                inside.Add((ended - began).TotalSeconds);
                after.Add((at - ended).TotalSeconds);
            }
        }

        return
        [
            BenchRow.Of("whole job through the factory ÷ the agent alone", ratios, "×", 2),
            BenchRow.Of("merged spec → pull request ready", factory, "s"),
            BenchRow.Of("of it: before the agent starts", before, "s"),
            BenchRow.Of("of it: the agent in its sandbox", inside, "s"),
            BenchRow.Of("of it: after the agent has ended", after, "s"),
            BenchRow.Of("the agent alone", alone, "s"),
        ];
    }
}
