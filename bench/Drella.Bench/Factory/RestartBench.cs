using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Drella.Bench.Journal;
using Drella.Configuration;
using Drella.Daemon;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Factory;

/// <summary>
/// The real daemon, as a process of its own, started on the journal of many jobs: from its start to the answer that it has taken a new spec, and
/// the most memory that the kernel ever counted for it.
/// </summary>
internal static class RestartBench
{
    private const string Tape =
        """
        scripts:
        - match: { role: producer }
          steps:
          - say: "Nothing to do."
        """;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateDirectory(Path.Combine(run.Folder, "r")).FullName;
        await PrepareAsync(folder, run, cancellationToken);
        var restarts = new List<Restart>();
        for (var turn = 0; turn < run.Size(6, 1); turn++)
        {
            var restart = await RestartAsync(folder, turn, cancellationToken);
            run.Talk(FormattableString.Invariant($"{restart.Taken.TotalSeconds:N2} s, {restart.Peak:N0} MiB"));

            // The first start finds a cold page cache and the write-ahead log of the history.
            if (turn > 0 || run.IsQuick)
            {
                restarts.Add(restart);
            }
        }

        var jobs = run.Size(10_000, 40);
        return
        [
            BenchRow.Of($"start on {jobs:N0} jobs → a spec is taken", [.. restarts.Select(restart => restart.Taken.TotalSeconds)], "s", 5),
            BenchRow.Of("resident memory of the daemon at its peak", [.. restarts.Select(restart => restart.Peak)], "MiB", 300),
            BenchRow.Of("processor time until then", [.. restarts.Select(restart => restart.Busy.TotalSeconds)], "s"),
        ];
    }

    private static async Task PrepareAsync(string folder, BenchRun run, CancellationToken cancellationToken)
    {
        var file = await FactoryWorld.WriteConfigurationAsync(folder, Tape, cancellationToken);
        var config = ConfigLoader.Load(file, isOptional: false).Config!;
        Directory.CreateDirectory(config.DataFolder);
        await using (var forge = await BuiltinForge.StartAsync(config, new SecretFolder(config.DataFolder), TimeProvider.System, NullLoggerFactory.Instance, cancellationToken))
        {
            await FactoryWorld.MakeTargetAsync(forge, cancellationToken);
        }

        run.Talk("writing the history");
        await using var store = await BenchStore.OpenAsync(config.DataFolder, cancellationToken);
        await History.WriteAsync(store.Journal, run.Size(10_000, 40), isAllMerged: false, cancellationToken);
    }

    private static async Task<Restart> RestartAsync(string folder, int turn, CancellationToken cancellationToken)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "drella.dll"), "up"])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        var watch = Stopwatch.StartNew();
        using var daemon = Process.Start(start)!;
        var talk = Task.WhenAll(daemon.StandardOutput.ReadToEndAsync(CancellationToken.None), daemon.StandardError.ReadToEndAsync(CancellationToken.None));
        Restart measured;
        try
        {
            using var http = await ConnectAsync(daemon, folder, cancellationToken);
            var job = await SubmitAsync(http, turn, cancellationToken);
            var taken = watch.Elapsed;
            daemon.Refresh();
            var busy = daemon.TotalProcessorTime;
            await EndJobAsync(http, job, cancellationToken);
            measured = new Restart(taken, busy, PeakMebiBytes(daemon.Id));
        }
        finally
        {
            await StopAsync(daemon);
        }

        var said = await talk;
        return daemon.ExitCode == 0 ? measured : throw new InvalidOperationException($"the daemon ended with {daemon.ExitCode}:\n{string.Join('\n', said)}");
    }

    private static async Task<string> SubmitAsync(HttpClient http, int turn, CancellationToken cancellationToken)
    {
        var text = $"---\nversion: 1\nrepo: {FactoryWorld.Repo}\ntitle: Accepted in turn {turn}\n---\nSay hello.\n\n## Acceptance criteria\n\n- [ ] somebody is greeted\n";
        using var answer = await http.PostAsJsonAsync(new Uri("/api/specs", UriKind.Relative), new { text, repo = FactoryWorld.Repo }, cancellationToken);
        var body = await answer.Content.ReadAsStringAsync(cancellationToken);
        return answer.StatusCode == HttpStatusCode.Accepted
            ? JsonNode.Parse(body)!["job"]!.GetValue<string>()
            : throw new InvalidOperationException($"the daemon did not take the spec: {(int)answer.StatusCode} {body}");
    }

    /// <summary>Waits for the file in which the daemon says where it listens, and then for an answer there.</summary>
    private static async Task<HttpClient> ConnectAsync(Process daemon, string folder, CancellationToken cancellationToken)
    {
        var marker = Path.Combine(folder, "data", "run", "daemon.json");
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        while (!File.Exists(marker) && !daemon.HasExited)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, patience.Token);
        }

        if (daemon.HasExited)
        {
            throw new InvalidOperationException($"the daemon ended with {daemon.ExitCode} while it started");
        }

        var where = JsonNode.Parse(await File.ReadAllTextAsync(marker, patience.Token))!;
        var http = new HttpClient { BaseAddress = new Uri(where["url"]!.GetValue<string>()) };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", where["token"]!.GetValue<string>());
        return http;
    }

    private static async Task EndJobAsync(HttpClient http, string job, CancellationToken cancellationToken)
    {
        using var cancelled = await http.PostAsJsonAsync(new Uri($"/api/jobs/{job}/cancel", UriKind.Relative), new { reason = "measured" }, cancellationToken);
        cancelled.EnsureSuccessStatusCode();
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        while (JsonNode.Parse(await http.GetStringAsync(new Uri($"/api/jobs/{job}", UriKind.Relative), patience.Token))!["summary"] is not { } summary
            || summary["conclusion"] is null || summary["step"] is not null)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }

    // VmHWM:	  123456 kB
    private static double PeakMebiBytes(int pid) => double.Parse(
        File.ReadLines($"/proc/{pid}/status").First(line => line.StartsWith("VmHWM:", StringComparison.Ordinal)).Split([' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1],
        CultureInfo.InvariantCulture) / 1024;

    private static async Task StopAsync(Process daemon)
    {
        if (!daemon.HasExited)
        {
            using var term = Process.Start("kill", ["-TERM", daemon.Id.ToString(CultureInfo.InvariantCulture)]);
            using var patience = new CancellationTokenSource(Patience);
            try
            {
                await daemon.WaitForExitAsync(patience.Token);
            }
            catch (OperationCanceledException)
            {
                daemon.Kill(entireProcessTree: true);
                await daemon.WaitForExitAsync(CancellationToken.None);
            }
        }
    }

    /// <param name="Taken">From the start of the process to the answer that the spec is taken.</param>
    /// <param name="Busy">Processor time that went into it: what is left of the first figure when others are at work on the machine.</param>
    /// <param name="Peak">Most resident memory, MiB.</param>
    private sealed record Restart(TimeSpan Taken, TimeSpan Busy, double Peak);
}
