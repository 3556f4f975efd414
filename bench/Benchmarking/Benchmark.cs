namespace Benchmarking;

/// <summary>A benchmark that can be asked for by its name.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="What">What it measures, in one line.</param>
/// <param name="RunAsync">Measures; leaves nothing behind.</param>
public sealed record Benchmark(string Name, string What, Func<BenchRun, CancellationToken, Task<IReadOnlyList<BenchRow>>> RunAsync)
{
    /// <summary>Too long for every run: it runs when it is named, and not with the others.</summary>
    public bool OnlyWhenNamed { get; init; }
}
