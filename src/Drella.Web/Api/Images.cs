using Drella.Core.Tools;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;

namespace Drella.Web.Api;

/// <summary>Pictures that agents uploaded, for pull requests to show. What they are, their first bytes say.</summary>
internal static class Images
{
    public static bool IsImagePath(PathString path) =>
        path.Value is { } text && text.StartsWith("/jobs/", StringComparison.Ordinal) && text.Split('/') is ["", "jobs", _, "images", _];

    public static void Map(IEndpointRouteBuilder routes, WebPorts ports) =>
        routes.MapGet("/jobs/{id}/images/{file}", async (string id, string file, HttpResponse response, CancellationToken cancellationToken) =>
        {
            if (JobReads.Find(ports, id) is not { } live)
            {
                return Results.NotFound();
            }

            using var bytes = new MemoryStream();
            await foreach (var chunk in ports.Blobs.ReadAsync(ImageShelf.NameOf(live.Job.Id, file), 0, cancellationToken))
            {
                bytes.Write(chunk.Span);
            }

            if (ImageShelf.TypeOf(bytes.GetBuffer().AsSpan(0, (int)bytes.Length)) is not { } type)
            {
                return Results.NotFound();
            }

            response.Headers.ContentSecurityPolicy = "default-src 'none'; sandbox";
            response.Headers.CacheControl = "public, max-age=86400";
            return Results.Bytes(bytes.ToArray(), type);
        });
}
