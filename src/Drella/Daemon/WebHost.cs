using System.Text;
using System.Text.Json;
using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Specs;
using Drella.Drivers.Forges.GitHub;
using Drella.Web;
using Microsoft.Extensions.Logging;

namespace Drella.Daemon;

/// <summary>Serves dashboard, API and webhooks for a daemon, tells the command line where they are, and has the forge call them.</summary>
internal sealed class WebHost : IAsyncDisposable
{
    private const int MaxDiff = 4 << 20;
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;

    private readonly WebServer server;
    private readonly string marker;

    private WebHost(WebServer server, string token, string marker)
    {
        this.server = server;
        this.marker = marker;
        LoginUrl = new Uri(server.BaseUrl, $"/login?token={token}").ToString();
    }

    /// <summary>The address that lets a browser in.</summary>
    public string LoginUrl { get; }

    public static async Task<WebHost> StartAsync(Daemon daemon, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var token = daemon.Secrets.Ensure("api");
        var webhookSecret = daemon.Secrets.Ensure("webhook");
        var submitted = new Submissions(daemon);
        var server = await Listening.OnAsync("listen", daemon.Config.Listen, () => WebServer.StartAsync(
            new WebOptions
            {
                ListenUrl = daemon.Config.Listen,
                Token = token,
                PublicUrl = daemon.Config.PublicUrl,
                VerifyWebhook = (headers, body) => Webhooks.Verify(headers, body, webhookSecret)?.DeliveryId,
            },
            new WebPorts
            {
                Jobs = daemon.Core.Jobs,
                Journal = daemon.Store.Journal,
                Blobs = daemon.Store.Blobs,
                Agents = daemon.Agents,
                Nudge = daemon.Factory.Nudge,
                Health = daemon.HealthAsync,
                Submit = submitted.OpenAsync,
                Diff = (job, cancellation) => job is { BaseCommit: { } from, Published: { } to }
                    ? daemon.Quarantine.DiffAsync(job.Request.RepoName, from, to, MaxDiff, cancellation)
                    : Task.FromResult(""),
                SandboxProvider = daemon.Providers.Provider.Name,
                Sandbox = (job, cancellation) => SandboxAsync(daemon, job, cancellation),
                BeginVisit = (live, command, cancellation) => daemon.Core.Visits.BeginAsync(live, "operator", command, cancellation),
                EndVisit = daemon.Core.Visits.EndAsync,
                ForgeUrl = daemon.Builtin?.Url.ToString() ?? "https://github.com",
                Time = time,
                Loggers = loggers,
            },
            cancellationToken));
        var marker = WriteMarker(daemon.Config.DataFolder, server.BaseUrl, token);
        await EnsureWebhooksAsync(daemon, server.BaseUrl, webhookSecret, loggers, cancellationToken);
        return new WebHost(server, token, marker);
    }

    public async ValueTask DisposeAsync()
    {
        File.Delete(marker);
        await server.DisposeAsync();
    }

    private static async Task<SandboxView?> SandboxAsync(Daemon daemon, Job job, CancellationToken cancellationToken) =>
        await daemon.Core.Visits.FindAsync(job, cancellationToken) is { } state
            ? new SandboxView(
                state.Name.Value, job.SandboxProvider ?? "", state.Image, state.IsRunning, job.Conclusion is null ? null : job.ChangedAt + daemon.Config.Sandbox.KeepFailed)
            : null;

    private static string WriteMarker(string dataFolder, Uri url, string token)
    {
        var folder = Directory.CreateDirectory(Path.Combine(dataFolder, "run")).FullName;
        var path = Path.Combine(folder, "daemon.json");
        var fresh = path + ".new";
        using (var stream = new FileStream(fresh, new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write, UnixCreateMode = OwnerOnly }))
        {
            JsonSerializer.Serialize(stream, new { url = url.ToString().TrimEnd('/'), token, pid = Environment.ProcessId });
        }

        File.Move(fresh, path, overwrite: true);
        return path;
    }

    private static async Task EnsureWebhooksAsync(Daemon daemon, Uri url, string secret, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        var target = daemon.Config.Forge.WebhookUrl ?? (daemon.Builtin is null ? null : new Uri(url, "/webhook").ToString());
        if (target is null)
        {
            return;
        }

        foreach (var repo in daemon.Config.Tasks.Select(tasks => tasks.Repo).Concat(daemon.Config.Issues.Select(issues => issues.Repo)).Distinct())
        {
            try
            {
                await daemon.EnsureWebhookAsync(RepoName.Parse(repo), target, secret, cancellationToken);
            }
            catch (DriverException error)
            {
                // Without a hook the poll finds everything, only later.
                WebHostLog.NoHook(loggers.CreateLogger<WebHost>(), error, repo);
            }
        }
    }

    /// <summary>Specs that are handed in at the keyboard. Their source is the forge's name with the repository they are for.</summary>
    private sealed class Submissions(Daemon daemon)
    {
        public async Task<OpenJobResult> OpenAsync(OpenJobRequest request, CancellationToken cancellationToken)
        {
            RepoName? fallback = RepoName.TryParse(request.Repo, out var named) ? named : null;
            var parsed = SpecParser.Parse(Encoding.UTF8.GetBytes(request.Text), new SpecDefaults(fallback, null));
            if (parsed.Spec is not { } spec)
            {
                return new OpenJobResult(null, [.. parsed.Problems.Select(problem => problem.ToString())]);
            }

            try
            {
                var order = await daemon.Factory.SubmitAsync(spec, request.Text, "operator", cancellationToken);
                if (order.Request is not { } ready)
                {
                    return new OpenJobResult(null, [.. order.Problems.Select(problem => problem.ToString())]);
                }

                // The same text handed in twice is one order; one that is over must not look like a new one.
                return daemon.Core.Jobs.Find(ready.Source.Job)?.Job is { Conclusion: { } end } known
                    ? new OpenJobResult(null, [$"job {known.Id} was made of this very text and is over ({end}); change the text, or see 'drella job retry {known.Id}'"])
                    : new OpenJobResult((await daemon.Core.Jobs.OpenAsync(ready, cancellationToken)).Job.Id, []);
            }
            catch (DriverException error)
            {
                return new OpenJobResult(null, [error.Message]);
            }
        }
    }
}

internal static partial class WebHostLog
{
    [LoggerMessage(LogLevel.Warning, "{Repo} has no webhook of ours; changes are found by polling")]
    public static partial void NoHook(ILogger logger, Exception error, string repo);
}
