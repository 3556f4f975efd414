using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Drella.Forge.Accounts;
using Drella.Forge.Git;
using Drella.Forge.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.Logging;

namespace Drella.Forge.Rest;

/// <summary>The HTTP edge of the API: identity, permission, limits, body, errors in GitHub's shape, ETag, and the headers clients steer by.</summary>
internal sealed partial class RestEdge(
    IEndpointRouteBuilder routes, Database database, Credentials credentials, RateLimits rates, ForgeAddress address, ILogger<RestEdge> logger)
{
    private const string Prefix = "/api/v3";
    private const long MaxBody = 40L * 1024 * 1024;

    public void Get(string path, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint) => Map("GET", path, role, endpoint);

    public void Post(string path, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint) => Map("POST", path, role, endpoint);

    public void Put(string path, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint) => Map("PUT", path, role, endpoint);

    public void Patch(string path, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint) => Map("PATCH", path, role, endpoint);

    public void Delete(string path, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint) => Map("DELETE", path, role, endpoint);

    public Task NotFoundAsync(HttpContext context) => RunAsync(context, ForgeRole.None, _ => throw ForgeRefusal.NotFound());

    /// <summary>Runs an endpoint that is mapped elsewhere (GraphQL) under the same edge.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The HTTP edge: an unforeseen failure becomes a logged 500 and the server lives.")]
    public async Task RunAsync(HttpContext context, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint)
    {
        RestResult result;
        UserRow? viewer = null;
        try
        {
            viewer = credentials.Authenticate(context.Request.Headers.Authorization);
            if (rates.Spend(viewer) is { } rate && rate.Used > rate.Limit)
            {
                throw new ForgeRefusal(403, "API rate limit exceeded");
            }

            result = await endpoint(await PrepareAsync(context, viewer, role));
        }
        catch (ForgeRefusal refusal)
        {
            result = Error(context, refusal);
        }
        catch (BadHttpRequestException e)
        {
            result = Error(context, new ForgeRefusal(e.StatusCode, "The request could not be read"));
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
        catch (Exception e)
        {
            LogFailed(e, context.Request.Method, context.Request.Path);
            result = Error(context, new ForgeRefusal(500, "Server Error"));
        }

        await WriteAsync(context, viewer, result);
    }

    private void Map(string method, string path, ForgeRole role, Func<RestCall, Task<RestResult>> endpoint) =>
        routes.MapMethods(Prefix + path, [method], (RequestDelegate)(context => RunAsync(context, role, endpoint)));

    private async Task<RestCall> PrepareAsync(HttpContext context, UserRow? viewer, ForgeRole needed)
    {
        RepoRow? repo = null;
        var role = ForgeRole.None;
        if (context.Request.RouteValues.TryGetValue("owner", out var owner) && context.Request.RouteValues.TryGetValue("repo", out var name))
        {
            (repo, role) = database.Read(db =>
            {
                var found = GitNames.IsRepository((string)name!) ? db.FindRepo((string)owner!, (string)name!) : null;
                return found is null ? (null, ForgeRole.None) : (found, db.RoleOf(found, viewer));
            });
            // Absent and forbidden look the same.
            if (repo is null || role == ForgeRole.None)
            {
                throw ForgeRefusal.NotFound();
            }
        }

        if (needed > ForgeRole.None && role < needed)
        {
            throw viewer is null ? ForgeRefusal.Unauthorized() : ForgeRefusal.Forbidden();
        }

        var call = new RestCall { Http = context, Urls = address.For(context.Request), Database = database, Viewer = viewer, MaybeRepo = repo, Role = role };
        if (context.Request.Method is not ("GET" or "HEAD"))
        {
            if (viewer is null)
            {
                throw ForgeRefusal.Unauthorized();
            }

            if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
            {
                limit.MaxRequestBodySize = MaxBody;
            }

            await call.ReadBodyAsync();
        }

        return call;
    }

    private RestResult Error(HttpContext context, ForgeRefusal refusal)
    {
        var json = new JsonObject
        {
            ["message"] = refusal.Message,
            ["documentation_url"] = address.For(context.Request).Documentation,
            ["status"] = refusal.Status.ToString(CultureInfo.InvariantCulture),
        };
        if (refusal.Errors is not null)
        {
            json["errors"] = refusal.Errors.DeepClone();
        }

        return new RestResult(refusal.Status, json);
    }

    private async Task WriteAsync(HttpContext context, UserRow? viewer, RestResult result)
    {
        var response = context.Response;
        var state = rates.Of(viewer);
        response.Headers["X-RateLimit-Limit"] = Text(state.Limit);
        response.Headers["X-RateLimit-Remaining"] = Text(state.Remaining);
        response.Headers["X-RateLimit-Used"] = Text(state.Used);
        response.Headers["X-RateLimit-Reset"] = state.Reset.ToString(CultureInfo.InvariantCulture);
        response.Headers["X-RateLimit-Resource"] = "core";
        response.Headers["X-GitHub-Media-Type"] = "github.v3; format=json";
        response.Headers["X-Content-Type-Options"] = "nosniff";
        response.Headers["X-GitHub-Request-Id"] = context.TraceIdentifier;
        if (viewer is not null)
        {
            response.Headers["X-OAuth-Scopes"] = "repo, read:org, workflow";
        }

        if (result.Link is not null)
        {
            response.Headers.Link = result.Link;
        }

        var bytes = result.Bytes();
        response.StatusCode = result.Status;
        if (context.Request.Method == "GET" && result.Status == 200)
        {
            var tag = $"W/\"{Convert.ToHexStringLower(SHA256.HashData(bytes))}\"";
            response.Headers.ETag = tag;
            response.Headers.CacheControl = viewer is null ? "public, max-age=60, s-maxage=60" : "private, max-age=60, s-maxage=60";
            response.Headers.Vary = "Accept, Authorization";
            if (context.Request.Headers.IfNoneMatch.ToString().Split(',').Any(t => Bare(t) == Bare(tag)))
            {
                response.StatusCode = StatusCodes.Status304NotModified;
                return;
            }
        }

        if (bytes.Length > 0)
        {
            response.ContentType = result.ContentType ?? "application/json; charset=utf-8";
            response.ContentLength = bytes.Length;
            await response.Body.WriteAsync(bytes, context.RequestAborted);
        }
    }

    private static string Bare(string tag) => tag.Trim().Replace("W/", "", StringComparison.Ordinal);

    private static string Text(int value) => value.ToString(CultureInfo.InvariantCulture);

    [LoggerMessage(LogLevel.Error, "{Method} {Path} failed")]
    private partial void LogFailed(Exception exception, string method, string path);
}
