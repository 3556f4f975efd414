namespace Drella.Bench;

public static class Suite
{
    public static BenchSuite Factory { get; } = new(
        "bench/run",
        [
            new("appends", "durable journal appends from 50 writers", Journal.JournalBench.DurableAppendsAsync),
            new("replay", "1,000,000 journal entries read and folded into jobs", Journal.JournalBench.ReplayAsync),
            new("transcript", "100 MB of an agent's output, line by line", Journal.TranscriptBench.RunAsync),
            new("gateway", "model calls through the gateway beside direct ones", Gateway.GatewayBench.RunAsync),
            new("restart", "the daemon's start on a journal of 10,000 jobs", Drella.Bench.Factory.RestartBench.RunAsync),
            new("first-request", "merged spec to the first model request", Drella.Bench.Factory.FirstRequestBench.RunAsync),
            new("job", "a whole job through the factory beside the agent alone", Drella.Bench.Factory.JobBench.RunAsync),
        ]);
}
