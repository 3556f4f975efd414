using System.Text.Json;
using System.Text.Json.Serialization;
using Drella.Web.Access;
using Drella.Web.Api;
using Drella.Web.Pages;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Drella.Web;

/// <summary>API, live streams, webhook endpoint and dashboard. Jobs finish without it.</summary>
public sealed class WebServer : IAsyncDisposable
{
    private const int MaxBody = 1 << 20;

    /// <summary>How the API writes JSON: camel case, enums as words.</summary>
    public static JsonSerializerOptions Wire { get; } = new(JsonSerializerDefaults.Web) { Converters = { new JsonStringEnumConverter() } };

    private readonly WebApplication application;

    private WebServer(WebApplication application, Uri baseUrl)
    {
        this.application = application;
        BaseUrl = baseUrl;
    }

    /// <summary>The address really bound.</summary>
    public Uri BaseUrl { get; }

    public static async Task<WebServer> StartAsync(WebOptions options, WebPorts ports, CancellationToken cancellationToken)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(ports.Loggers);
        builder.WebHost.UseUrls(options.ListenUrl);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
        });
        var application = builder.Build();
        var gate = new Gate(options);
        application.Use(gate.JudgeAsync);
        application.MapGet("/healthz", () => Results.Text("ok\n"));
        application.MapGet("/readyz", async (CancellationToken cancellation) =>
        {
            var health = await ports.Health(cancellation);
            return Results.Json(health, Wire, statusCode: health.IsWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        });
        application.MapPost("/webhook", new Webhook(options, ports).TakeAsync);
        JobReads.Map(application, ports);
        JobStreams.Map(application, ports);
        JobWrites.Map(application, ports);
        Images.Map(application, ports);
        Dashboard.Map(application, ports);
        await application.StartAsync(cancellationToken);
        var address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return new WebServer(application, new Uri(address));
    }

    public async ValueTask DisposeAsync() => await application.DisposeAsync();
}
