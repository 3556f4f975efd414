using Drella.Testing.Simulation;

namespace Drella.Core.Tests;

/// <summary>
/// The whole factory under people and faults that a seed decides. <c>DRELLA_SIM_SEED=17</c> runs one seed, <c>DRELLA_SIM_SEEDS=100000</c> that
/// many; <c>./test sim</c> sets them.
/// </summary>
public sealed class SimulationTests(ITestOutputHelper output)
{
    private const int Seeds = 1000;
    private const int MostShown = 20;

    [Fact]
    public void Factory_HoldsItsPropertiesUnderEverySeed()
    {
        var chosen = Number("DRELLA_SIM_SEED");
        var results = chosen is { } one
            ? [SimulationRun.Run(one, output.WriteLine)]
            : Enumerable.Range(1, Number("DRELLA_SIM_SEEDS") ?? Seeds).Select(seed => SimulationRun.Run(seed)).ToList();

        output.WriteLine($"{results.Count} seeds, {results.Sum(result => (long)result.Entries)} entries, {results.Sum(result => (long)result.Lives)} daemons");
        foreach (var end in results.SelectMany(result => result.Ends).CountBy(end => end).OrderBy(end => end.Key))
        {
            output.WriteLine($"{end.Key}: {end.Value}");
        }

        var bad = results.Where(result => result.Problems.Count > 0).ToList();
        Assert.True(
            bad.Count == 0,
            $"{bad.Count} of {results.Count} seeds went wrong; run one with './test sim --seed SEED'.\n"
            + string.Join('\n', bad.Take(MostShown).Select(result => $"seed {result.Seed}: {string.Join("\n  ", result.Problems)}")));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void Seed_GivesTheSameHistoryEachTime(int seed) => Assert.Equal(SimulationRun.Run(seed).History, SimulationRun.Run(seed).History);

    private static int? Number(string variable) =>
        Environment.GetEnvironmentVariable(variable) is { Length: > 0 } text ? int.Parse(text, System.Globalization.CultureInfo.InvariantCulture) : null;
}
