using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Storage;

namespace Drella.Forge.Rendering;

internal sealed partial class Renderer
{
    // Address field → what follows the repository's own address.
    private static readonly (string Field, string Suffix)[] RepositoryUrls =
    [
        ("archive_url", "/{archive_format}{/ref}"), ("assignees_url", "/assignees{/user}"), ("blobs_url", "/git/blobs{/sha}"),
        ("branches_url", "/branches{/branch}"), ("collaborators_url", "/collaborators{/collaborator}"), ("comments_url", "/comments{/number}"),
        ("commits_url", "/commits{/sha}"), ("compare_url", "/compare/{base}...{head}"), ("contents_url", "/contents/{+path}"),
        ("contributors_url", "/contributors"), ("deployments_url", "/deployments"), ("downloads_url", "/downloads"), ("events_url", "/events"),
        ("forks_url", "/forks"), ("git_commits_url", "/git/commits{/sha}"), ("git_refs_url", "/git/refs{/sha}"), ("git_tags_url", "/git/tags{/sha}"),
        ("hooks_url", "/hooks"), ("issue_comment_url", "/issues/comments{/number}"), ("issue_events_url", "/issues/events{/number}"),
        ("issues_url", "/issues{/number}"), ("keys_url", "/keys{/key_id}"), ("labels_url", "/labels{/name}"), ("languages_url", "/languages"),
        ("merges_url", "/merges"), ("milestones_url", "/milestones{/number}"), ("notifications_url", "/notifications{?since,all,participating}"),
        ("pulls_url", "/pulls{/number}"), ("releases_url", "/releases{/id}"), ("stargazers_url", "/stargazers"), ("statuses_url", "/statuses/{sha}"),
        ("subscribers_url", "/subscribers"), ("subscription_url", "/subscription"), ("tags_url", "/tags"), ("teams_url", "/teams"),
        ("trees_url", "/git/trees{/sha}"),
    ];

    public JsonObject Repository(RepoRow repo, UserRow? viewer)
    {
        var openIssues = db.ExecuteScalar<int>("SELECT count(*) FROM Issues WHERE RepoId = @id AND State = 'open'", new { id = repo.Id });
        var role = db.RoleOf(repo, viewer);
        var json = new JsonObject
        {
            ["id"] = repo.Id,
            ["node_id"] = NodeIds.Of("Repository", repo.Id),
            ["name"] = repo.Name,
            ["full_name"] = repo.FullName,
            ["owner"] = User(repo.OwnerId),
            ["private"] = repo.IsPrivate,
            ["visibility"] = repo.IsPrivate ? "private" : "public",
            ["html_url"] = urls.RepoWeb(repo.FullName),
            ["description"] = repo.Description,
            ["fork"] = false,
            ["url"] = urls.RepoApi(repo.FullName),
            ["git_url"] = urls.CloneUrl(repo.FullName),
            ["ssh_url"] = urls.CloneUrl(repo.FullName),
            ["clone_url"] = urls.CloneUrl(repo.FullName),
            ["svn_url"] = urls.RepoWeb(repo.FullName),
            ["mirror_url"] = null,
            ["homepage"] = null,
            ["language"] = null,
            ["forks_count"] = 0,
            ["stargazers_count"] = 0,
            ["watchers_count"] = 0,
            ["subscribers_count"] = 0,
            ["network_count"] = 0,
            ["size"] = 0,
            ["default_branch"] = repo.DefaultBranch,
            ["open_issues_count"] = openIssues,
            ["open_issues"] = openIssues,
            ["forks"] = 0,
            ["watchers"] = 0,
            ["license"] = null,
            ["topics"] = new JsonArray(),
            ["is_template"] = false,
            ["has_issues"] = true,
            ["has_projects"] = false,
            ["has_wiki"] = false,
            ["has_pages"] = false,
            ["has_downloads"] = false,
            ["has_discussions"] = false,
            ["archived"] = false,
            ["disabled"] = false,
            ["allow_forking"] = false,
            ["web_commit_signoff_required"] = false,
            ["allow_merge_commit"] = true,
            ["allow_squash_merge"] = true,
            ["allow_rebase_merge"] = true,
            ["allow_auto_merge"] = false,
            ["delete_branch_on_merge"] = repo.DeleteBranchOnMerge,
            ["pushed_at"] = Times.Iso(repo.PushedAt),
            ["created_at"] = Times.Iso(repo.CreatedAt),
            ["updated_at"] = Times.Iso(repo.UpdatedAt),
            ["permissions"] = Permissions(role),
        };
        foreach (var (field, suffix) in RepositoryUrls)
        {
            json[field] = urls.RepoApi(repo.FullName) + suffix;
        }

        return json;
    }

    /// <summary>Where the description allows only addresses without templates.</summary>
    public JsonObject MinimalRepository(RepoRow repo, UserRow? viewer)
    {
        var json = Repository(repo, viewer);
        // In this schema the licence, when present, is an object.
        json.Remove("license");
        return json;
    }

    public static JsonObject Permissions(ForgeRole role) => new()
    {
        ["admin"] = role >= ForgeRole.Admin,
        ["maintain"] = role >= ForgeRole.Maintain,
        ["push"] = role >= ForgeRole.Write,
        ["triage"] = role >= ForgeRole.Triage,
        ["pull"] = role >= ForgeRole.Read,
    };

    public JsonObject CollaboratorPermission(UserRow user, ForgeRole role)
    {
        var json = User(user);
        json["permissions"] = Permissions(role);
        json["role_name"] = RoleName(role);
        return new JsonObject
        {
            // The old field knows four words only.
            ["permission"] = role switch
            {
                ForgeRole.Admin => "admin",
                ForgeRole.Maintain or ForgeRole.Write => "write",
                ForgeRole.Triage or ForgeRole.Read => "read",
                _ => "none",
            },
            ["role_name"] = RoleName(role),
            ["user"] = json,
        };
    }

    private static string RoleName(ForgeRole role) => role.ToString().ToLowerInvariant();
}
