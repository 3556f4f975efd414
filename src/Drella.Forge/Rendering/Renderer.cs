using System.Text.Json.Nodes;
using Drella.Forge.Storage;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Rendering;

/// <summary>Turns rows into GitHub's JSON. One per request or event: it holds that request's addresses and database view.</summary>
internal sealed partial class Renderer(Urls urls, SqliteConnection db)
{
    private readonly Dictionary<long, UserRow> _users = [];

    public Urls Urls => urls;

    public UserRow Row(long userId) => _users.TryGetValue(userId, out var row) ? row : _users[userId] = db.User(userId);

    public JsonObject? UserOrNull(long? userId) => userId is { } id ? User(Row(id)) : null;

    public JsonObject User(long userId) => User(Row(userId));

    public JsonObject User(UserRow user)
    {
        var api = urls.UserApi(user.Login);
        return new JsonObject
        {
            ["login"] = user.Login,
            ["id"] = user.Id,
            ["node_id"] = NodeIds.Of("User", user.Id),
            ["avatar_url"] = $"{urls.Web}/-/avatar/{user.Id}",
            ["gravatar_id"] = "",
            ["url"] = api,
            ["html_url"] = urls.UserWeb(user.Login),
            ["followers_url"] = $"{api}/followers",
            ["following_url"] = $"{api}/following{{/other_user}}",
            ["gists_url"] = $"{api}/gists{{/gist_id}}",
            ["starred_url"] = $"{api}/starred{{/owner}}{{/repo}}",
            ["subscriptions_url"] = $"{api}/subscriptions",
            ["organizations_url"] = $"{api}/orgs",
            ["repos_url"] = $"{api}/repos",
            ["events_url"] = $"{api}/events{{/privacy}}",
            ["received_events_url"] = $"{api}/received_events",
            ["type"] = user.Kind,
            ["site_admin"] = user.IsAdmin,
        };
    }

    /// <summary>The profile; the private form is for the user alone.</summary>
    public JsonObject Profile(UserRow user, bool isPrivate)
    {
        var json = User(user);
        json["name"] = user.Name;
        json["company"] = null;
        json["blog"] = "";
        json["location"] = null;
        json["email"] = user.Email;
        json["hireable"] = null;
        json["bio"] = null;
        json["public_repos"] = 0;
        json["public_gists"] = 0;
        json["followers"] = 0;
        json["following"] = 0;
        json["created_at"] = Times.Iso(user.CreatedAt);
        json["updated_at"] = Times.Iso(user.CreatedAt);
        if (isPrivate)
        {
            json["private_gists"] = 0;
            json["total_private_repos"] = 0;
            json["owned_private_repos"] = 0;
            json["disk_usage"] = 0;
            json["collaborators"] = 0;
            json["two_factor_authentication"] = false;
        }

        return json;
    }

    public string Association(RepoRow repo, long userId)
    {
        if (userId == repo.OwnerId)
        {
            return "OWNER";
        }

        return db.RoleOf(repo with { IsPrivate = true }, Row(userId)) >= ForgeRole.Triage ? "COLLABORATOR" : "NONE";
    }
}
