using System.Net;
using System.Text;
using Drella.Gateway.Models;
using Gjoll.Egress.Serving;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Gateway.Tests.Models;

/// <summary>A provider on loopback that answers as the test says.</summary>
internal sealed class Provider : IAsyncDisposable
{
    public const string Head = "event: message_start\ndata: {\"type\":\"message_start\",\"message\":{\"usage\":{\"input_tokens\":7,\"output_tokens\":1}}}\n\n";
    public const string Tail = "event: message_delta\ndata: {\"type\":\"message_delta\",\"usage\":{\"output_tokens\":42}}\n\n";
    private readonly BareServer host;

    private Provider(Func<HttpContext, string, Task> answer) => host = new BareServer(
        (kestrel, route) => kestrel.Listen(IPAddress.Loopback, 0, at => route(at, async context =>
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
            Body = await reader.ReadToEndAsync(context.RequestAborted);
            Headers = context.Request.Headers.ToDictionary(header => header.Key.ToLowerInvariant(), header => header.Value.ToString());
            Interlocked.Increment(ref calls);
            await answer(context, Body);
        })),
        NullLoggerFactory.Instance);

    private int calls;

    public int Calls => calls;

    public string Body { get; private set; } = "";

    public Dictionary<string, string> Headers { get; private set; } = [];

    public AnthropicUpstream Upstream { get; private set; } = null!;

    public static async Task<Provider> StartAsync(Func<HttpContext, string, Task> answer)
    {
        var provider = new Provider(answer);
        await provider.host.StartAsync(TestContext.Current.CancellationToken);
        var address = provider.host.Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.First();
        provider.Upstream = new AnthropicUpstream(new ModelOptions { BaseUrl = new Uri(address), ApiKey = Doors.House.Key });
        return provider;
    }

    public static Task<Provider> StreamingAsync() => StartAsync(async (context, _) =>
    {
        context.Response.ContentType = "text/event-stream";
        await context.Response.WriteAsync(Head + Tail, context.RequestAborted);
    });

    public async ValueTask DisposeAsync()
    {
        Upstream.Dispose();
        await host.DisposeAsync();
    }
}
