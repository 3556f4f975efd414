using System.Net;
using System.Text;
using Gjoll.Egress.Serving;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Bench.Gateway;

/// <summary>How the stand-in answers.</summary>
/// <param name="Thinking">Time before the first byte.</param>
/// <param name="Events">Deltas of one answer.</param>
/// <param name="Size">Characters of one delta.</param>
/// <param name="Gap">Time between two deltas.</param>
internal sealed record Pace(TimeSpan Thinking, int Events, int Size, TimeSpan Gap)
{
    /// <summary>As quick as a real provider is on a good day: most think longer.</summary>
    public static Pace Provider { get; } = new(TimeSpan.FromMilliseconds(250), 100, 24, TimeSpan.FromMilliseconds(5));

    /// <summary>No provider at all: only what the gateway itself costs is left.</summary>
    public static Pace Nothing { get; } = new(TimeSpan.Zero, 1, 24, TimeSpan.Zero);

    /// <summary>As many bytes as the loopback carries.</summary>
    public static Pace Flood { get; } = new(TimeSpan.Zero, 4096, 4096, TimeSpan.Zero);
}

/// <summary>A model provider on loopback that streams as it is told to.</summary>
internal sealed class StreamingProvider : IAsyncDisposable
{
    private readonly BareServer host;

    public StreamingProvider() => host = new BareServer(
        (kestrel, route) =>
        {
            kestrel.Limits.MinResponseDataRate = null;
            kestrel.Listen(IPAddress.Loopback, 0, at => route(at, AnswerAsync));
        },
        NullLoggerFactory.Instance);

    public Pace Pace { get; set; } = Pace.Provider;

    public Uri Address => new(host.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First());

    public Task StartAsync(CancellationToken cancellationToken) => host.StartAsync(cancellationToken);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    private async Task AnswerAsync(HttpContext context)
    {
        var (pace, stop) = (Pace, context.RequestAborted);
        await context.Request.Body.CopyToAsync(Stream.Null, stop);
        await PauseAsync(pace.Thinking, stop);
        context.Response.ContentType = "text/event-stream";
        await SendAsync("message_start", """{"type":"message_start","message":{"id":"msg_1","model":"claude-sonnet-4-5","usage":{"input_tokens":9000,"output_tokens":1}}}""");
        var delta = $$$"""{"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":"{{{new string('x', pace.Size)}}}"}}""";
        for (var number = 0; number < pace.Events; number++)
        {
            await SendAsync("content_block_delta", delta);
            await PauseAsync(pace.Gap, stop);
        }

        await SendAsync("message_delta", """{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"output_tokens":400}}""");
        await SendAsync("message_stop", """{"type":"message_stop"}""");

        async Task SendAsync(string name, string data)
        {
            await context.Response.Body.WriteAsync(Encoding.UTF8.GetBytes($"event: {name}\ndata: {data}\n\n"), stop);
            await context.Response.Body.FlushAsync(stop);
        }
    }

    private static Task PauseAsync(TimeSpan length, CancellationToken cancellationToken) =>
        length == TimeSpan.Zero ? Task.CompletedTask : Task.Delay(length, TimeProvider.System, cancellationToken);
}
