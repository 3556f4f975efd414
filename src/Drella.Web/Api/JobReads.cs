using Drella.Core.Jobs;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Api;

/// <summary>The API's plain reads. An absent job and a malformed id answer the same.</summary>
internal static class JobReads
{
    public static void Map(IEndpointRouteBuilder routes, WebPorts ports)
    {
        routes.MapGet("/api/jobs", () =>
        {
            var all = ports.Jobs.All.Select(live => live.Job).ToList();
            return Results.Json(all.OrderByDescending(job => job.OpenedAt).Select(job => JobSummary.Of(job, all)), WebServer.Wire);
        });
        routes.MapGet("/api/jobs/{id}", async (string id, CancellationToken cancellationToken) => Find(ports, id) is { } live
            ? Results.Json(
                JobView.Of(live.Job, ports.Jobs.All.Select(other => other.Job)) with { Sandbox = await ports.Sandbox(live.Job, cancellationToken) }, WebServer.Wire)
            : NotFound);
        routes.MapGet("/api/jobs/{id}/diff", async (string id, CancellationToken cancellationToken) => Find(ports, id) is { } live
            ? Results.Text(await ports.Diff(live.Job, cancellationToken))
            : NotFound);
    }

    public static IResult NotFound { get; } = Results.Json(new { error = "there is no such job" }, WebServer.Wire, statusCode: StatusCodes.Status404NotFound);

    public static LiveJob? Find(WebPorts ports, string id) => JobId.TryParse(id, out var parsed) ? ports.Jobs.Find(parsed) : null;
}
