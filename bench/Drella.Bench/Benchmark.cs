namespace Drella.Bench;

/// <summary>A benchmark that can be asked for by its name.</summary>
/// <param name="Name">As on the command line.</param>
/// <param name="What">What it measures, in one line.</param>
/// <param name="RunAsync">Measures; leaves nothing behind.</param>
internal sealed record Benchmark(string Name, string What, Func<BenchRun, CancellationToken, Task<IReadOnlyList<BenchRow>>> RunAsync)
{
    /// <summary>Every benchmark, in the order in which they run.</summary>
    public static IReadOnlyList<Benchmark> All { get; } =
    [
        new("appends", "durable journal appends from 50 writers", Journal.JournalBench.DurableAppendsAsync),
        new("replay", "1,000,000 journal entries read and folded into jobs", Journal.JournalBench.ReplayAsync),
        new("transcript", "100 MB of an agent's output, line by line", Journal.TranscriptBench.RunAsync),
        new("gateway", "model calls through the gateway beside direct ones", Gateway.GatewayBench.RunAsync),
        new("restart", "the daemon's start on a journal of 10,000 jobs", Factory.RestartBench.RunAsync),
        new("first-request", "merged spec to the first model request", Factory.FirstRequestBench.RunAsync),
        new("job", "a whole job through the factory beside the agent alone", Factory.JobBench.RunAsync),
    ];
}
