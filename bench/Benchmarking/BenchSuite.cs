namespace Benchmarking;

/// <summary>The benchmarks behind one command.</summary>
/// <param name="Command">As it is typed.</param>
/// <param name="All">Every benchmark, in the order in which they run.</param>
public sealed record BenchSuite(string Command, IReadOnlyList<Benchmark> All)
{
    public string Usage =>
        $"{Command} [NAME…] [--quick] [--json] [--results FOLDER]\n"
        + string.Join('\n', All.Select(benchmark => $"  {benchmark.Name,-14} {benchmark.What}{(benchmark.OnlyWhenNamed ? " (only when named)" : "")}"));
}
