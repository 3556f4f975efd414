using Drella.Forge.Accounts;
using Drella.Forge.Git;
using Drella.Forge.GraphQl;
using Drella.Forge.Issues;
using Drella.Forge.Merging;
using Drella.Forge.Pages;
using Drella.Forge.Pulls;
using Drella.Forge.Rest;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Drella.Forge;

/// <summary>What the forge is made of, and where its doors are.</summary>
internal static class ForgeRegistration
{
    public static void AddForge(this IServiceCollection services, ForgeOptions options, TimeProvider time)
    {
        services.AddSingleton(options);
        services.AddSingleton(time);
        services.AddSingleton(new ForgeAddress(options.PublicUrl));
        services.AddSingleton(_ => new Database(Path.Combine(options.DataFolder, "forge.db")));
        services.AddSingleton<GitRunner>();
        services.AddSingleton(p => new RepositoryFolder(Path.GetFullPath(Path.Combine(options.DataFolder, "git")), p.GetRequiredService<GitRunner>()));
        services.AddSingleton<Credentials>();
        services.AddSingleton(new RateLimits(options.RateLimit, time));
        services.AddSingleton(p => new ForgeAdmin(p.GetRequiredService<Database>(), p.GetRequiredService<RepositoryFolder>(), time));
        services.AddSingleton<Events>().AddSingleton<DeliveryLoop>();
        services.AddSingleton<ClosingWords>().AddSingleton<IssueService>();
        services.AddSingleton<MergeLedger>().AddSingleton<MergeabilityLoop>().AddSingleton<MergeEngine>();
        services.AddSingleton<PullSync>().AddSingleton<PushObserver>().AddSingleton<PullService>().AddSingleton<ReviewService>();
        services.AddSingleton<GitHttp>();
        services.AddSingleton<RestMap>().AddSingleton<AccountEndpoints>().AddSingleton<RepositoryEndpoints>().AddSingleton<GitDatabaseEndpoints>();
        services.AddSingleton<ContentEndpoints>().AddSingleton<CommitEndpoints>().AddSingleton<IssueEndpoints>().AddSingleton<LabelEndpoints>();
        services.AddSingleton<PullEndpoints>().AddSingleton<ReviewEndpoints>().AddSingleton<CheckEndpoints>().AddSingleton<HookEndpoints>();
        services.AddSingleton<GraphQlEndpoint>().AddSingleton<GraphQlSchema>();
        services.AddSingleton<ForgePages>();
    }

    public static void MapForge(this WebApplication app)
    {
        var services = app.Services;
        var edge = new RestEdge(
            app, services.GetRequiredService<Database>(), services.GetRequiredService<Credentials>(), services.GetRequiredService<RateLimits>(),
            services.GetRequiredService<ForgeAddress>(), services.GetRequiredService<ILogger<RestEdge>>());
        services.GetRequiredService<RestMap>().Map(edge);
        services.GetRequiredService<GraphQlEndpoint>().Map(app, edge);
        app.MapFallback("/api/{**rest}", edge.NotFoundAsync);
        services.GetRequiredService<GitHttp>().Map(app);
        services.GetRequiredService<ForgePages>().Map(app);
    }
}
