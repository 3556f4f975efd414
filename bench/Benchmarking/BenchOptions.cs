namespace Benchmarking;

/// <summary>What was asked for on the command line.</summary>
public sealed record BenchOptions(IReadOnlyList<Benchmark> Chosen, bool IsQuick, bool IsJson, string? Results)
{
    /// <summary>The options, or what is wrong with them.</summary>
    public static (BenchOptions? Options, string? Problem) Parse(BenchSuite suite, IReadOnlyList<string> arguments)
    {
        var names = new List<string>();
        var options = new BenchOptions([], false, false, null);
        for (var at = 0; at < arguments.Count; at++)
        {
            switch (arguments[at])
            {
                case "--quick":
                    options = options with { IsQuick = true };
                    break;
                case "--json":
                    options = options with { IsJson = true };
                    break;
                case "--results" when at + 1 < arguments.Count:
                    options = options with { Results = arguments[++at] };
                    break;
                case var name when suite.All.Any(benchmark => benchmark.Name == name):
                    names.Add(name);
                    break;
                case var other:
                    return (null, $"'{other}' is neither an option nor a benchmark");
            }
        }

        return (options with { Chosen = [.. suite.All.Where(benchmark => names.Count == 0 ? !benchmark.OnlyWhenNamed : names.Contains(benchmark.Name))] }, null);
    }
}
