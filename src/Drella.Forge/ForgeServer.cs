using Drella.Forge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Drella.Forge;

/// <summary>
/// The built-in forge: Git over HTTP, GitHub's REST dialect under <c>/api/v3</c> (and at the root of an <c>api.</c> host), a little GraphQL,
/// webhooks, and plain pages. Disposing stops it and leaves all state in the data folder.
/// </summary>
public sealed class ForgeServer : IAsyncDisposable
{
    private readonly WebApplication _app;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Task _loops;

    private ForgeServer(WebApplication app)
    {
        _app = app;
        BaseUrl = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First());
        app.Services.GetRequiredService<ForgeAddress>().ListensAt(BaseUrl);
        Admin = app.Services.GetRequiredService<ForgeAdmin>();
        _loops = Task.WhenAll(
            app.Services.GetRequiredService<Webhooks.DeliveryLoop>().RunAsync(_stopping.Token),
            app.Services.GetRequiredService<Merging.MergeabilityLoop>().RunAsync(_stopping.Token));
    }

    /// <summary>Where the forge really listens.</summary>
    public Uri BaseUrl { get; }

    /// <summary>Administration from inside the process.</summary>
    public ForgeAdmin Admin { get; }

    /// <summary>Opens the data folder and listens; throws when the schema is newer or the address is taken.</summary>
    public static async Task<ForgeServer> StartAsync(ForgeOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(options.DataFolder);
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "Drella.Forge" });
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.AddServerHeader = false).UseUrls(options.ListenUrl);
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(loggers);
        builder.Services.AddSingleton(typeof(ILogger<>), typeof(Logger<>));
        builder.Services.AddForge(options, time);
        var app = builder.Build();
        try
        {
            foreach (var middleware in options.Middleware)
            {
                app.Use(middleware);
            }

            app.Use(AtApiHost);
            app.UseRouting();
            app.MapForge();
            await app.StartAsync(cancellationToken);
            return new ForgeServer(app);
        }
        catch
        {
            await app.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var bound = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        await _stopping.CancelAsync();
        await _app.StopAsync(bound.Token);
        await _loops.ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
        await _app.DisposeAsync();
        _stopping.Dispose();
    }

    // github.com's own layout: the API at the root of a host of its own.
    private static RequestDelegate AtApiHost(RequestDelegate next) => context =>
    {
        if (context.Request.Host.Host.StartsWith("api.", StringComparison.OrdinalIgnoreCase) && !context.Request.Path.StartsWithSegments("/api"))
        {
            context.Request.Path = context.Request.Path == "/graphql" ? "/api/graphql" : "/api/v3" + context.Request.Path;
        }

        return next(context);
    };
}
