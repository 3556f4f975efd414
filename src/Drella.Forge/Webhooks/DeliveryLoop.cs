using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Microsoft.Extensions.Logging;

namespace Drella.Forge.Webhooks;

/// <summary>
/// Sends waiting deliveries, in order for each hook, each once: what fails stays failed until a client asks for a redelivery, as on GitHub.
/// </summary>
internal sealed partial class DeliveryLoop(Database database, Events events, TimeProvider time, ILogger<DeliveryLoop> logger) : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly HttpClient _client = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseProxy = false, UseCookies = false })
    {
        Timeout = Patience,
        MaxResponseContentBufferSize = 64 * 1024,
    };

    public static string Sign(string secret, ReadOnlySpan<byte> body) =>
        "sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), body));

    public async Task RunAsync(CancellationToken cancellationToken)
    {
        events.Wake();
        await foreach (var _ in events.Wakes.ReadAllAsync(cancellationToken))
        {
            while (database.Read(db => db.WaitingDeliveries(100)) is { Count: > 0 } waiting)
            {
                await Task.WhenAll(waiting.GroupBy(d => d.HookId).Select(g => SendAllAsync([.. g], cancellationToken)));
            }
        }
    }

    public void Dispose() => _client.Dispose();

    private async Task SendAllAsync(IReadOnlyList<DeliveryRow> deliveries, CancellationToken cancellationToken)
    {
        foreach (var delivery in deliveries)
        {
            await SendAsync(delivery, cancellationToken);
        }
    }

    private async Task SendAsync(DeliveryRow delivery, CancellationToken cancellationToken)
    {
        var hook = database.Read(db => db.QuerySingleOrDefault<HookRow>("SELECT * FROM Hooks WHERE Id = @HookId", new { delivery.HookId }));
        if (hook is null)
        {
            // Deleted meanwhile, and its deliveries with it.
            return;
        }

        var body = Encoding.UTF8.GetBytes(delivery.Payload);
        using var request = new HttpRequestMessage(HttpMethod.Post, hook.Url) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new("application/json");
        request.Headers.UserAgent.ParseAdd("GitHub-Hookshot/drella");
        request.Headers.Add("X-GitHub-Event", delivery.Event);
        request.Headers.Add("X-GitHub-Delivery", delivery.Guid);
        request.Headers.Add("X-GitHub-Hook-ID", hook.Id.ToString(CultureInfo.InvariantCulture));
        if (hook.Secret is { Length: > 0 } secret)
        {
            request.Headers.Add("X-Hub-Signature-256", Sign(secret, body));
        }

        var headers = JsonSerializer.Serialize(request.Headers.ToDictionary(h => h.Key, h => string.Join(",", h.Value)));
        var started = time.GetTimestamp();
        var (code, status, answer) = await PostAsync(request, cancellationToken);
        LogDelivered(delivery.Event, delivery.Guid, status, code);
        database.Write(db => db.Execute(
            """
            UPDATE Deliveries SET DeliveredAt = @now, Status = @status, StatusCode = @code, DurationMs = @duration, RequestHeaders = @headers,
              ResponseHeaders = '{}', ResponseBody = @answer WHERE Id = @Id
            """,
            new { delivery.Id, now = time.Now(), status, code, duration = (long)time.GetElapsedTime(started).TotalMilliseconds, headers, answer }));
    }

    private async Task<(int Code, string Status, string Answer)> PostAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        try
        {
            using var response = await _client.SendAsync(request, cancellationToken);
            var text = await response.Content.ReadAsStringAsync(cancellationToken);
            return ((int)response.StatusCode, response.IsSuccessStatusCode ? "OK" : response.ReasonPhrase ?? "failed", text);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return (504, "timed out", "");
        }
        catch (HttpRequestException e)
        {
            return (502, "failed to connect to host", e.Message);
        }
    }

    [LoggerMessage(LogLevel.Debug, "Webhook {Event} {Delivery}: {Status} ({Code})")]
    private partial void LogDelivered(string @event, string delivery, string status, int code);
}
