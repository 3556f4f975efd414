using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Core.Sandboxes;
using Drella.Testing.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Web.Tests;

/// <summary>The real server on a port of the kernel's choice, over a journal in memory.</summary>
internal sealed class WebHouse : IAsyncDisposable
{
    public const string Token = "0123456789abcdef-token";
    public const string Secret = "webhook-secret";
    private int nudges;

    private WebHouse()
    {
        Journal = new MemoryJournal(TimeProvider.System);
        Jobs = new JobShelf(Journal, TimeProvider.System);
    }

    public MemoryJournal Journal { get; }

    public MemoryBlobStore Blobs { get; } = new();

    public JobShelf Jobs { get; }

    public WebServer Server { get; private set; } = null!;

    public List<OpenJobRequest> Submitted { get; } = [];

    public List<JobId> VisitsEnded { get; } = [];

    public bool IsWell { get; set; } = true;

    public Func<Job, string> Diff { get; set; } = _ => "diff --git a/a b/a\n";

    public int Nudges => Volatile.Read(ref nudges);

    /// <summary>A client that holds the token.</summary>
    public HttpClient Client { get; private set; } = null!;

    /// <summary>A client that holds nothing, keeps nothing and follows nothing.</summary>
    public HttpClient Stranger { get; private set; } = null!;

    public static async Task<WebHouse> OpenAsync(string? publicUrl = null, TimeProvider? time = null)
    {
        var house = new WebHouse();
        house.Server = await WebServer.StartAsync(
            new WebOptions { ListenUrl = "http://127.0.0.1:0", Token = Token, PublicUrl = publicUrl, VerifyWebhook = Verify },
            new WebPorts
            {
                Jobs = house.Jobs,
                Journal = house.Journal,
                Blobs = house.Blobs,
                Agents = [new LineAgent()],
                Nudge = () => Interlocked.Increment(ref house.nudges),
                Health = _ => Task.FromResult(new HealthReport([new HealthItem("journal", house.IsWell, "it answers")])),
                Submit = (request, _) =>
                {
                    house.Submitted.Add(request);
                    return Task.FromResult(request.Text.StartsWith("bad", StringComparison.Ordinal) ? new OpenJobResult(null, ["line 1: no"]) : new OpenJobResult(JobId.For("x"), []));
                },
                SandboxProvider = "fake",
                Diff = (job, _) => Task.FromResult(house.Diff(job)),
                Sandbox = (job, _) => Task.FromResult(job.Sandbox is { } name ? new SandboxView(name, "fake", "drellaos@sha256:0", true, null) : null),
                BeginVisit = async (live, command, cancellationToken) =>
                {
                    if (live.Job.Sandbox is not { } name)
                    {
                        return null;
                    }

                    await live.RecordAsync(new JobEntry.SandboxEntered(name, "operator", command), cancellationToken);
                    return new Visit(new SandboxName(name), "fake", WasWoken: true);
                },
                EndVisit = (live, _) =>
                {
                    house.VisitsEnded.Add(live.Job.Id);
                    return Task.CompletedTask;
                },
                ForgeUrl = "https://forge.example",
                Time = time ?? TimeProvider.System,
                Loggers = NullLoggerFactory.Instance,
            },
            TestContext.Current.CancellationToken);
        house.Stranger = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = house.Server.BaseUrl };
        house.Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = house.Server.BaseUrl };
        house.Client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", Token);
        return house;
    }

    public static string Sign(byte[] body) => Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(Secret), body));

    public async Task<LiveJob> JobAsync(JobRequest? request = null, params IEnumerable<JobEntry> entries)
    {
        var live = await Jobs.OpenAsync(request ?? Some.Request(), TestContext.Current.CancellationToken);
        foreach (var entry in entries)
        {
            await live.RecordAsync(entry, TestContext.Current.CancellationToken);
        }

        return live;
    }

    public async Task BlobAsync(string name, byte[] bytes)
    {
        await using var writer = await Blobs.AppendAsync(new BlobId(name), TestContext.Current.CancellationToken);
        await writer.WriteAsync(bytes, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        Stranger.Dispose();
        await Server.DisposeAsync();
        Jobs.Dispose();
    }

    private static string? Verify(IEnumerable<KeyValuePair<string, string>> headers, byte[] body)
    {
        var known = headers.ToDictionary(header => header.Key, header => header.Value, StringComparer.OrdinalIgnoreCase);
        return known.GetValueOrDefault("X-Signature") is { } given
            && CryptographicOperations.FixedTimeEquals(Encoding.ASCII.GetBytes(given), Encoding.ASCII.GetBytes(Sign(body)))
            ? known.GetValueOrDefault("X-Delivery")
            : null;
    }
}
