namespace Gjoll.Bench;

public static class Suite
{
    public static BenchSuite Sandboxes { get; } = new(
        "bench/gjoll",
        [
            new("bubblewrap", "start to first command beside podman and plain bwrap", Starts.BubblewrapBench.RunAsync),
            new("qemu", "cold boot, warm claim and fork to first command beside a bare kernel", Starts.MachineBench.RunAsync),
            new("exec", "round trip and throughput beside a pipe and ssh", Execs.ExecBench.RunAsync),
            new("memory", "what an idle warm clone takes of the host", Machines.MemoryBench.RunAsync),
            new("image", "an image built from nothing, again, and after a change", Machines.ImageBench.RunAsync) { OnlyWhenNamed = true },
        ]);
}
