using System.Diagnostics;
using System.Net;
using System.Text.Json.Nodes;
using Drella.Configuration;
using Drella.Core.Forges;
using Drella.Daemon;
using Drella.Demo;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.EndToEnd.Tests;

/// <summary>
/// The real binary, killed as by a power cut at a named point of the demo's story and started again: the same end, one pull request,
/// every remark answered once.
/// </summary>
public sealed class CrashTests
{
    public static TheoryData<string> Points { get; } =
    [
        "journal:opened", "journal:admitted", "before:base.resolved", "before:sandbox.ready", "journal:sandbox.ready", "journal:agent.started:1",
        "journal:call.reserved:2", "before:call.settled:3", "journal:tool.requested:2", "before:harvested:1", "before:head.published:1",
        "journal:head.published:1", "before:pull.request.opened", "journal:pull.request.opened", "before:tool.answered:2", "before:agent.ended:1",
        "journal:agent.ended:1", "before:ready.marked", "journal:ready.marked", "journal:feedback.received", "journal:round.opened",
        "journal:agent.started:2", "journal:reply.proposed:1", "before:agent.ended:2", "before:feedback.settled:1", "journal:feedback.settled:1",
        "before:feedback.settled:2", "journal:concluded", "before:step.succeeded:14", "before:sandbox.released",
    ];

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [MemberData(nameof(Points))]
    public async Task Kill_AtThisPointChangesNothingInTheEnd(string point)
    {
        await using var story = await Story.BeginAsync(point);

        await story.TellAsync();

        Assert.True(story.WasKilled, $"the point {point} was not met");
        await story.CheckAsync();
    }

    private sealed class Story : IAsyncDisposable
    {
        private const string Repo = FactoryFixture.Repo;
        private const string Spec = "greet-loudly";

        private readonly string folder = Directory.CreateTempSubdirectory("drella-").FullName;
        private readonly string forge = $"http://127.0.0.1:{FactoryFixture.FreePort()}";
        private readonly Stopwatch clock = Stopwatch.StartNew();
        private ForgePerson person = null!;
        private Process daemon = null!;
        private string point = "";
        private bool isStopped;

        public bool WasKilled { get; private set; }

        public static async Task<Story> BeginAsync(string point)
        {
            var story = new Story { point = point };
            await File.WriteAllTextAsync(
                Path.Combine(story.folder, "drella.yaml"),
                $$"""
                version: 1
                data: data
                listen: http://127.0.0.1:0
                poll_interval: 300ms
                forge: { kind: builtin, listen: "{{story.forge}}" }
                tasks: [ { repo: {{FactoryFixture.Tasks}} } ]
                repositories: [ "factory/*" ]
                model: { upstream: tape, tape: tape.yaml }
                """,
                Token);
            File.Copy(FactoryFixture.Shipped("tape.yaml"), Path.Combine(story.folder, "tape.yaml"));
            await story.MakeTargetAsync();
            story.Start(point);
            return story;
        }

        /// <summary>Does what the person of the demo does, looking before each act, until the spec is done.</summary>
        public async Task TellAsync()
        {
            await PersistAsync(MergeSpecAsync);
            var number = await UntilAsync(async () => (await PullsAsync()).SingleOrDefault(pull => pull["draft"]!.GetValue<bool>() == false)?["number"]?.GetValue<int>());
            await PersistAsync(async () =>
            {
                if ((await person.GetAsync($"repos/{Repo}/pulls/{number}/reviews", Token)).AsArray().Count == 0)
                {
                    await person.ReviewAsync(Repo, number, "Good. The command line should offer it too.", [("greet.js", 1, "Please describe the option, and give it a default.")], Token);
                }
            });
            await UntilAsync(async () => await SettledAsync() >= 2 ? (int?)1 : null);
            await PersistAsync(async () =>
            {
                if ((await person.GetAsync($"repos/{Repo}/pulls/{number}", Token))["merged"]?.GetValue<bool>() != true)
                {
                    await person.MergeAsync(Repo, number, Token);
                }
            });
            await UntilAsync(async () => (await JobAsync()) is { } job && job["conclusion"]?.GetValue<string>() == "Merged" && job["step"] is null ? (int?)1 : null);
        }

        public async Task CheckAsync()
        {
            var pulls = (await person.GetAsync($"repos/{Repo}/pulls?state=all", Token)).AsArray();
            Assert.Single(pulls);
            Assert.NotNull(pulls[0]!["merged_at"]);
            Assert.Contains(Spec + ".md", await person.FolderAsync(FactoryFixture.Tasks, "done", Token));
            Assert.DoesNotContain(Spec + ".md", await person.FolderAsync(FactoryFixture.Tasks, "in-progress", Token));
            var inline = (await person.GetAsync($"repos/{Repo}/pulls/1/comments", Token)).AsArray();
            Assert.Single(inline, remark => remark!["user"]!["login"]!.GetValue<string>() == BuiltinForge.Bot);
            var comments = (await person.GetAsync($"repos/{Repo}/issues/1/comments", Token)).AsArray();
            Assert.Single(comments, comment => comment!["body"]!.GetValue<string>().Contains("@operator", StringComparison.Ordinal));
            var main = await person.GetAsync($"repos/{Repo}/contents/greet.js", Token);
            Assert.Contains("--loud", System.Text.Encoding.UTF8.GetString(Convert.FromBase64String(main["content"]!.GetValue<string>().Replace("\n", "", StringComparison.Ordinal))), StringComparison.Ordinal);
            await StopAsync();
            Assert.Empty(Leftovers());
            Assert.Equal(0, await RunAsync("verify"));
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            person.Dispose();
            foreach (var left in Leftovers())
            {
                Process.GetProcessById(left).Kill();
            }

            Directory.Delete(folder, recursive: true);
        }

        private static ProcessStartInfo Drella(string folder, params string[] arguments)
        {
            var start = new ProcessStartInfo("dotnet") { WorkingDirectory = folder, RedirectStandardError = true, RedirectStandardOutput = true };
            start.ArgumentList.Add(Path.Combine(AppContext.BaseDirectory, "drella.dll"));
            foreach (var argument in arguments)
            {
                start.ArgumentList.Add(argument);
            }

            return start;
        }

        private void Start(string? failpoint)
        {
            var start = Drella(folder, "up");
            start.Environment.Remove("DRELLA_FAILPOINT");
            if (failpoint is not null)
            {
                start.Environment["DRELLA_FAILPOINT"] = failpoint;
            }

            daemon = Process.Start(start)!;
            var log = TextWriter.Synchronized(new StreamWriter(Path.Combine(folder, "daemon.log"), append: true) { AutoFlush = true });
            daemon.ErrorDataReceived += (_, line) => log.WriteLine(line.Data);
            daemon.OutputDataReceived += (_, line) => log.WriteLine(line.Data);
            daemon.BeginErrorReadLine();
            daemon.BeginOutputReadLine();
        }

        private async Task StopAsync()
        {
            if (isStopped)
            {
                return;
            }

            isStopped = true;
            if (!daemon.HasExited)
            {
                using var kill = Process.Start("sh", ["-c", string.Create(System.Globalization.CultureInfo.InvariantCulture, $"kill -TERM {daemon.Id}")]);
                await daemon.WaitForExitAsync(CancellationToken.None);
            }

            daemon.Dispose();
        }

        private async Task<int> RunAsync(params string[] arguments)
        {
            using var process = Process.Start(Drella(folder, arguments))!;
            await process.StandardOutput.ReadToEndAsync(Token);
            await process.WaitForExitAsync(Token);
            return process.ExitCode;
        }

        private async Task MakeTargetAsync()
        {
            var config = ConfigLoader.Load(Path.Combine(folder, "drella.yaml"), isOptional: false).Config!;
            Directory.CreateDirectory(config.DataFolder);
            await using var built = await BuiltinForge.StartAsync(config, new SecretFolder(config.DataFolder), TimeProvider.System, NullLoggerFactory.Instance, Token);
            var root = FactoryFixture.Shipped("target");
            var files = Directory.EnumerateFiles(root, "*", SearchOption.AllDirectories).ToDictionary(file => Path.GetRelativePath(root, file), File.ReadAllText);
            await BuiltinForge.EnsureRepositoryAsync(built.Admin, RepoName.Parse(Repo), files, Token);
            person = new ForgePerson(new Uri(forge), built.HumanToken);
        }

        private async Task MergeSpecAsync()
        {
            var there = (await person.FolderAsync(FactoryFixture.Tasks, "in-progress", Token)).Concat(await person.FolderAsync(FactoryFixture.Tasks, "done", Token));
            if (there.Contains(Spec + ".md"))
            {
                return;
            }

            var open = (await person.GetAsync($"repos/{FactoryFixture.Tasks}/pulls", Token)).AsArray();
            if (open.Count > 0)
            {
                await person.MergeAsync(FactoryFixture.Tasks, open[0]!["number"]!.GetValue<int>(), Token);
                return;
            }

            await person.MergeFileAsync(FactoryFixture.Tasks, $"in-progress/{Spec}.md", await File.ReadAllTextAsync(FactoryFixture.Shipped("spec.md"), Token), "Greet loudly", Token);
        }

        private async Task<IEnumerable<JsonNode>> PullsAsync() => (await person.GetAsync($"repos/{Repo}/pulls?state=open", Token)).AsArray().OfType<JsonNode>();

        private async Task<JsonNode?> JobAsync()
        {
            var marker = Path.Combine(folder, "data", "run", "daemon.json");
            if (!File.Exists(marker))
            {
                return null;
            }

            var where = JsonNode.Parse(await File.ReadAllTextAsync(marker, Token))!;
            using var http = new HttpClient { BaseAddress = new Uri(where["url"]!.GetValue<string>()) };
            http.DefaultRequestHeaders.Authorization = new("Bearer", where["token"]!.GetValue<string>());
            return JsonNode.Parse(await http.GetStringAsync(new Uri("/api/jobs", UriKind.Relative), Token))!.AsArray().FirstOrDefault();
        }

        private async Task<int> SettledAsync()
        {
            if (await JobAsync() is not { } job)
            {
                return 0;
            }

            var where = JsonNode.Parse(await File.ReadAllTextAsync(Path.Combine(folder, "data", "run", "daemon.json"), Token))!;
            using var http = new HttpClient { BaseAddress = new Uri(where["url"]!.GetValue<string>()) };
            http.DefaultRequestHeaders.Authorization = new("Bearer", where["token"]!.GetValue<string>());
            var view = JsonNode.Parse(await http.GetStringAsync(new Uri($"/api/jobs/{job["id"]}", UriKind.Relative), Token))!;
            return job["phase"]!.GetValue<string>() == "InReview" && job["step"] is null ? view["feedback"]!.AsArray().Count(row => row!["disposition"] is not null) : 0;
        }

        /// <summary>Does a thing, and again when the daemon dies under it.</summary>
        private Task PersistAsync(Func<Task> act) => UntilAsync<int>(async () =>
        {
            await act();
            return 1;
        });

        private async Task<T> UntilAsync<T>(Func<Task<T?>> look)
            where T : struct
        {
            while (true)
            {
                if (clock.Elapsed > TimeSpan.FromSeconds(180))
                {
                    var log = await File.ReadAllLinesAsync(Path.Combine(folder, "daemon.log"), Token);
                    throw new TimeoutException($"stuck after {point}:\n{string.Join('\n', log.TakeLast(80))}");
                }

                if (daemon.HasExited)
                {
                    Assert.False(WasKilled, "the daemon ended a second time");
                    WasKilled = true;
                    Assert.Equal(137, daemon.ExitCode);
                    Start(null);
                }

                try
                {
                    if (await look() is { } found)
                    {
                        return found;
                    }
                }
                catch (HttpRequestException error) when (error.StatusCode is null or HttpStatusCode.Conflict or HttpStatusCode.UnprocessableEntity)
                {
                    // The daemon, and the forge with it, is down or coming up, or the act was done before the answer was lost.
                }

                await Task.Delay(50, Token);
            }
        }

        private IReadOnlyList<int> Leftovers() =>
        [
            .. Directory.EnumerateDirectories("/proc").Select(Path.GetFileName).Select(name => int.TryParse(name, out var pid) ? pid : 0)
                .Where(pid => pid > 0 && pid != Environment.ProcessId && CommandLine(pid).Contains(folder, StringComparison.Ordinal)),
        ];

        private static string CommandLine(int pid)
        {
            try
            {
                return File.ReadAllText($"/proc/{pid}/cmdline");
            }
            catch (IOException)
            {
                return "";
            }
        }
    }
}
