using System.Diagnostics;
using System.Threading.Channels;
using Drella.Core.Agents;
using Drella.Core.Journal;
using Drella.Core.Steps;
using Drella.Drivers.Agents.ClaudeCode;

namespace Drella.Bench.Journal;

/// <summary>
/// A long run of an agent: its output goes through the supervisor, the line splitter, Claude Code's parser, the digest and the blob store, as it
/// does in the daemon; only the program is a loop. Memory is watched from the first tenth on, when all buffers have their size.
/// </summary>
internal static class TranscriptBench
{
    private const double MebiByte = 1 << 20;

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var size = run.Size(100_000_000, 1_000_000);
        await using var store = await BenchStore.OpenAsync(Path.Combine(run.Folder, "transcript"), cancellationToken);
        await TalkAsync(store.Blobs, "warm", size / 10, _ => { }, cancellationToken);
        var growth = new Growth(size / 10);
        var watch = Stopwatch.StartNew();
        var kept = await TalkAsync(store.Blobs, "measured", size, growth.Look, cancellationToken);
        var written = kept / MebiByte / watch.Elapsed.TotalSeconds;

        watch.Restart();
        var read = 0L;
        await foreach (var part in store.Blobs.ReadAsync(new BlobId("measured"), 0, cancellationToken))
        {
            read += part.Length;
        }

        if (read != kept)
        {
            throw new InvalidOperationException($"{read} bytes were read back instead of {kept}");
        }

        return
        [
            new BenchRow("growth of managed memory, most", growth.Managed / MebiByte, "MiB", 32),
            new BenchRow("growth of the process's resident memory, most", growth.Resident / MebiByte, "MiB", 32),
            new BenchRow("transcript understood and kept", written, "MiB/s"),
            new BenchRow("transcript read back", read / MebiByte / watch.Elapsed.TotalSeconds, "MiB/s"),
        ];
    }

    private static async Task<long> TalkAsync(IBlobStore blobs, string name, long bytes, Action<long> onProgress, CancellationToken cancellationToken)
    {
        await using var blob = await blobs.AppendAsync(new BlobId(name), cancellationToken);
        await using var digest = new DigestingWriter(blob);
        var result = await AgentRun.RunAsync(
            new ChattyGuest(bytes, onProgress),
            new ClaudeCodeAdapter(),
            new AgentOrder
            {
                SessionId = "s", Resume = false, Prompt = "Talk.", SystemPrompt = "", Model = "m", ModelUrl = "http://127.0.0.1:1", ToolUrl = "http://127.0.0.1:1",
                ProxyUrl = "http://127.0.0.1:1", Token = "t", MayEdit = false, Home = "/home/agent", Workspace = "/work", AgentFolder = "/opt/agent",
            },
            new AgentRunPorts
            {
                Transcript = digest,
                OnEvent = _ => ValueTask.CompletedTask,
                Control = Channel.CreateUnbounded<AgentControl>().Reader,
                LastModelActivity = () => null,
                Time = TimeProvider.System,
                Limits = new AgentRunLimits { Deadline = TimeSpan.FromMinutes(30), IdleTimeout = TimeSpan.FromMinutes(5) },
            },
            cancellationToken);
        return result.Outcome == AgentOutcome.Completed ? digest.Length : throw new InvalidOperationException($"the run ended with {result.Outcome}: {result.Detail}");
    }

    private sealed class Growth(long from)
    {
        private const long Between = 1 << 20;

        private (long Managed, long Resident)? start;
        private long next = from;

        public double Managed { get; private set; }

        public double Resident { get; private set; }

        public void Look(long said)
        {
            if (said < next)
            {
                return;
            }

            next = said + Between;
            var now = (GC.GetTotalMemory(forceFullCollection: false), Environment.WorkingSet);
            start ??= now;
            Managed = Math.Max(Managed, now.Item1 - start.Value.Managed);
            Resident = Math.Max(Resident, now.Item2 - start.Value.Resident);
        }
    }
}
