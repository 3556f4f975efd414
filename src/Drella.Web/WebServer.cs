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
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Drella.Web;

/// <summary>API, live streams, webhook endpoint and dashboard. Jobs finish without it.</summary>
public sealed class WebServer : IAsyncDisposable
{
    private const int MaxBody = 1 << 20;
    private static readonly TimeSpan StopBound = TimeSpan.FromSeconds(5);

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

    /// <summary>Listens; throws when the address is taken or the token is too short to keep anybody out.</summary>
    public static async Task<WebServer> StartAsync(WebOptions options, WebPorts ports, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Token.Length, 16, "options.Token.Length");

        // The empty builder reads no settings file and no variable: a folder we happen to stand in has no say.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Drella.Web", EnvironmentName = Environments.Production });
        builder.WebHost.UseKestrelCore().UseUrls(options.ListenUrl).ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.Limits.MaxRequestBodySize = MaxBody;
        });
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(ports.Loggers);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        var application = builder.Build();
        try
        {
            Map(application, options, ports);
            await application.StartAsync(cancellationToken);
            var address = application.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
            return new WebServer(application, new Uri(address));
        }
        catch
        {
            await application.DisposeAsync();
            throw;
        }
    }

    /// <summary>Ends the live streams and stops.</summary>
    public async ValueTask DisposeAsync()
    {
        using var bound = new CancellationTokenSource(StopBound);
        await application.StopAsync(bound.Token);
        await application.DisposeAsync();
    }

    private static void Map(WebApplication application, WebOptions options, WebPorts ports)
    {
        application.Use(new Edge(ports.Loggers.CreateLogger<Edge>()).GuardAsync);
        application.Use(new Gate(options).JudgeAsync);
        application.UseRouting();
        application.MapGet("/healthz", () => Results.Text("ok\n"));
        application.MapGet("/readyz", async (CancellationToken cancellation) =>
        {
            var health = await ports.Health(cancellation);
            return Results.Json(health, Wire, statusCode: health.IsWell ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
        });
        application.MapPost("/webhook", new Webhook(options, ports).TakeAsync);
        JobReads.Map(application, ports);
        new JobStreams(ports, application.Lifetime.ApplicationStopping).Map(application);
        JobWrites.Map(application, ports);
        Images.Map(application, ports);
        Dashboard.Map(application, ports);
    }
}
