using System.Collections.Concurrent;
using System.Diagnostics;
using System.Text.Json.Nodes;

namespace Drella.EndToEnd.Tests;

/// <summary>
/// The real binary with its data on a disk of a few megabytes, mounted in a namespace of its own at <c>/mnt</c> and reached through
/// <c>/proc</c>: needs no root, and is gone when the process is.
/// </summary>
internal sealed class CrampedDaemon : IAsyncDisposable
{
    private readonly Process process;
    private readonly ConcurrentQueue<string> said = new();

    private CrampedDaemon(Process process) => this.process = process;

    public bool HasExited => process.HasExited;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    private string Disk => $"/proc/{process.Id}/root/mnt";

    public static CrampedDaemon Start(int megabytes, string folder)
    {
        var command = $"mount -t tmpfs -o size={megabytes}m tmpfs /mnt && exec dotnet \"$0\" up";
        var start = new ProcessStartInfo("unshare", ["--user", "--map-root-user", "--mount", "sh", "-c", command, Path.Combine(AppContext.BaseDirectory, "drella.dll")])
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        start.Environment.Remove("DRELLA_FAILPOINT");
        var daemon = new CrampedDaemon(Process.Start(start)!);
        daemon.process.ErrorDataReceived += (_, line) => daemon.said.Enqueue(line.Data ?? "");
        daemon.process.OutputDataReceived += (_, line) => daemon.said.Enqueue(line.Data ?? "");
        daemon.process.BeginErrorReadLine();
        daemon.process.BeginOutputReadLine();
        return daemon;
    }

    /// <summary>Takes every free byte.</summary>
    public void FillDisk()
    {
        // Without a buffer, so that what does not fit is known at once and not at the end.
        using var filler = new FileStream(Path.Combine(Disk, "filler"), FileMode.Create, FileAccess.Write, FileShare.Read, bufferSize: 0);
        var size = 1 << 20;
        while (size > 0)
        {
            try
            {
                filler.Write(new byte[size]);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    public void FreeDisk() => File.Delete(Path.Combine(Disk, "filler"));

    /// <summary>Titles of the jobs that the daemon shows.</summary>
    public async Task<IReadOnlyList<string>> JobsAsync()
    {
        var where = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(Disk, "data", "run", "daemon.json"), Token))!;
        using var http = new HttpClient { BaseAddress = new Uri(where["url"]!.GetValue<string>()) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", where["token"]!.GetValue<string>());
        var jobs = JsonNode.Parse(await http.GetStringAsync(new Uri("/api/jobs", UriKind.Relative), Token))!.AsArray();
        return [.. jobs.Select(job => job!["title"]!.GetValue<string>()).Order(StringComparer.Ordinal)];
    }

    public Task JobAsync(string title) => UntilAsync(
        async () => File.Exists(Path.Combine(Disk, "data", "run", "daemon.json")) && (await JobsAsync()).Contains(title) ? title : null, $"the job {title}");

    public Task SaysAsync(string words) => UntilAsync(
        () => Task.FromResult(said.FirstOrDefault(line => line.Contains(words, StringComparison.Ordinal))), $"'{words}'");

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            using var kill = Process.Start("kill", ["-TERM", process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
            await process.WaitForExitAsync(CancellationToken.None);
        }

        process.Dispose();
    }

    private Task<string> UntilAsync(Func<Task<string?>> look, string what) => Polling.UntilAsync(
        () => process.HasExited ? throw new InvalidOperationException($"the daemon ended:\n{Log()}") : look(), () => $"{what}:\n{Log()}", Token);

    private string Log() => string.Join('\n', said.TakeLast(60));
}
