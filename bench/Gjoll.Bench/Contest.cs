namespace Gjoll.Bench;

/// <summary>One of several things that are measured in turn.</summary>
/// <param name="Name">For people.</param>
/// <param name="OnceAsync">Does it once and gives its laps in milliseconds, always as many. Clean-up is no part of them.</param>
internal sealed record Lane(string Name, Func<CancellationToken, Task<double[]>> OnceAsync)
{
    private readonly List<double[]?> _rounds = [];

    public async Task RunAsync(Action<string> talk, bool counts, CancellationToken cancellationToken)
    {
        double[]? laps = null;
        try
        {
            laps = await OnceAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            talk($"{Name} failed: {failure.Message}");
        }

        if (counts)
        {
            _rounds.Add(laps);
        }
    }

    public BenchRow Row(string name, string unit = "ms", double? target = null, int lap = 0) =>
        BenchRow.Of(name, [.. _rounds.OfType<double[]>().Select(laps => laps[lap])], unit, target, failures: _rounds.Count(round => round is null));

    /// <summary>This ÷ the other, round by round. A failure of this one counts; a round in which the other failed says nothing.</summary>
    public BenchRow Over(Lane other, string name, double? target = null, int lap = 0) => BenchRow.Of(
        name,
        [.. _rounds.Zip(other._rounds).Where(pair => pair is { First: not null, Second: not null }).Select(pair => pair.First![lap] / pair.Second![0])],
        "×", target, failures: _rounds.Count(round => round is null));
}

/// <summary>Lanes in turn, A B A B, so that what else the machine does falls on all of them.</summary>
internal static class Contest
{
    public static async Task RunAsync(BenchRun run, int rounds, CancellationToken cancellationToken, params IReadOnlyList<Lane> lanes)
    {
        // The first round fills caches, and is no sample.
        for (var round = run.IsQuick ? 1 : 0; round <= rounds; round++)
        {
            if (round > 0 && round % 20 == 0)
            {
                run.Talk(FormattableString.Invariant($"round {round} of {rounds}"));
            }

            foreach (var lane in lanes)
            {
                await lane.RunAsync(run.Talk, counts: round > 0, cancellationToken);
            }
        }
    }
}
