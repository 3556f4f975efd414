using System.Text.Json.Nodes;
using Drella.Forge.Storage;

namespace Drella.Forge.Rest;

internal sealed class AccountEndpoints(RateLimits rates)
{
    private static readonly string[] Buckets =
    [
        "core", "graphql", "search", "code_search", "source_import", "integration_manifest", "actions_runner_registration", "scim",
        "dependency_snapshots", "dependency_sbom", "code_scanning_autofix", "copilot_usage_records",
    ];

    public void Map(RestEdge api)
    {
        api.Get("", ForgeRole.None, Root);
        api.Get("/meta", ForgeRole.None, _ => Task.FromResult(RestResult.Ok(new JsonObject { ["verifiable_password_authentication"] = false, ["installed_version"] = "3.17.0" })));
        api.Get("/rate_limit", ForgeRole.None, Limits);
        api.Get("/user", ForgeRole.None, c => Task.FromResult(RestResult.Ok(c.Read((_, r) => r.Profile(c.Caller, isPrivate: true)))));
        api.Get("/users/{username}", ForgeRole.None, Profile);
        api.Get(RestMap.Repo + "/collaborators/{username}/permission", ForgeRole.Read, Permission);
    }

    private static Task<RestResult> Root(RestCall call)
    {
        var json = new JsonObject();
        foreach (var (name, path) in ((string, string)[])[("current_user_url", "/user"), ("rate_limit_url", "/rate_limit"), ("repository_url", "/repos/{owner}/{repo}"), ("user_url", "/users/{user}")])
        {
            json[name] = call.Urls.Api + path;
        }

        return Task.FromResult(RestResult.Ok(json));
    }

    private Task<RestResult> Limits(RestCall call)
    {
        var state = rates.Of(call.Viewer);
        JsonObject Render() => new() { ["limit"] = state.Limit, ["used"] = state.Used, ["remaining"] = state.Remaining, ["reset"] = state.Reset };
        var resources = new JsonObject();
        foreach (var bucket in Buckets)
        {
            resources[bucket] = Render();
        }

        return Task.FromResult(RestResult.Ok(new JsonObject { ["resources"] = resources, ["rate"] = Render() }));
    }

    private static Task<RestResult> Profile(RestCall call) => Task.FromResult(RestResult.Ok(call.Read((db, r) =>
        r.Profile(db.FindUser(call.Route("username")) ?? throw ForgeRefusal.NotFound(), isPrivate: false))));

    private static Task<RestResult> Permission(RestCall call) => Task.FromResult(RestResult.Ok(call.Read((db, r) =>
    {
        if (call.Role < ForgeRole.Write && call.Caller.Login != call.Route("username"))
        {
            throw ForgeRefusal.Forbidden("Must have push access to view collaborator permission.");
        }

        var user = db.FindUser(call.Route("username")) ?? throw ForgeRefusal.NotFound();
        return r.CollaboratorPermission(user, db.RoleOf(call.Repo, user));
    })));
}
