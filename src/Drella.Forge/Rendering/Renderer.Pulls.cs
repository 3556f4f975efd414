using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Pulls;
using Drella.Forge.Storage;

namespace Drella.Forge.Rendering;

internal sealed partial class Renderer
{
    /// <summary>The short form that lists carry.</summary>
    public JsonObject PullSimple(RepoRow repo, PullRow pull)
    {
        var api = urls.PullApi(repo.FullName, pull.Number);
        var web = urls.PullWeb(repo.FullName, pull.Number);
        var issue = urls.IssueApi(repo.FullName, pull.Number);
        var json = new JsonObject
        {
            ["url"] = api,
            ["id"] = pull.Id,
            ["node_id"] = NodeIds.Of("PullRequest", pull.Id),
            ["html_url"] = web,
            ["diff_url"] = web + ".diff",
            ["patch_url"] = web + ".patch",
            ["issue_url"] = issue,
            ["commits_url"] = $"{api}/commits",
            ["review_comments_url"] = $"{api}/comments",
            ["review_comment_url"] = $"{urls.RepoApi(repo.FullName)}/pulls/comments{{/number}}",
            ["comments_url"] = $"{issue}/comments",
            ["statuses_url"] = $"{urls.RepoApi(repo.FullName)}/statuses/{pull.HeadSha}",
            ["number"] = pull.Number,
            ["state"] = pull.State,
            ["locked"] = false,
            ["active_lock_reason"] = null,
            ["title"] = pull.Title,
            ["body"] = pull.Body,
            ["user"] = User(pull.AuthorId),
            ["labels"] = Labels(repo, pull.IssueId),
            ["milestone"] = null,
            ["draft"] = pull.IsDraft,
            ["created_at"] = Times.Iso(pull.CreatedAt),
            ["updated_at"] = Times.Iso(pull.UpdatedAt),
            ["closed_at"] = Times.Iso(pull.ClosedAt),
            ["merged_at"] = Times.Iso(pull.MergedAt),
            ["merge_commit_sha"] = pull.MergeSha,
            ["requested_reviewers"] = new JsonArray([.. db.RequestedReviewers(pull.Id).Select(User)]),
            ["requested_teams"] = new JsonArray(),
            ["head"] = Side(repo, pull.HeadRef, pull.HeadSha),
            ["base"] = Side(repo, pull.BaseRef, pull.BaseSha),
            ["author_association"] = Association(repo, pull.AuthorId),
            ["auto_merge"] = null,
            ["_links"] = Links(
                ("self", api), ("html", web), ("issue", issue), ("comments", $"{issue}/comments"), ("review_comments", $"{api}/comments"),
                ("review_comment", $"{urls.RepoApi(repo.FullName)}/pulls/comments{{/number}}"), ("commits", $"{api}/commits"),
                ("statuses", $"{urls.RepoApi(repo.FullName)}/statuses/{pull.HeadSha}")),
        };
        AddAssignees(json, pull.IssueId);
        return json;
    }

    public JsonObject Pull(RepoRow repo, PullRow pull, PullFigures figures)
    {
        var json = PullSimple(repo, pull);
        json["merged"] = pull.MergedAt is not null;
        json["mergeable"] = pull.IsOpen ? figures.Mergeable : null;
        json["rebaseable"] = null;
        json["mergeable_state"] = pull.IsOpen ? MergeableState(repo, pull, figures.Mergeable) : "unknown";
        json["merged_by"] = UserOrNull(pull.MergedById);
        json["comments"] = db.ExecuteScalar<int>("SELECT count(*) FROM Comments WHERE IssueId = @id", new { id = pull.IssueId });
        json["review_comments"] = db.ExecuteScalar<int>("SELECT count(*) FROM ReviewComments WHERE PullId = @id", new { id = pull.Id });
        json["maintainer_can_modify"] = pull.MaintainerCanModify;
        json["commits"] = figures.Commits;
        json["additions"] = figures.Additions;
        json["deletions"] = figures.Deletions;
        json["changed_files"] = figures.ChangedFiles;
        return json;
    }

    public JsonObject PullMinimal(RepoRow repo, PullRow pull)
    {
        JsonObject Ref(string name, string sha) => new()
        {
            ["ref"] = name,
            ["sha"] = sha,
            ["repo"] = new JsonObject { ["id"] = repo.Id, ["url"] = urls.RepoApi(repo.FullName), ["name"] = repo.Name },
        };
        return new JsonObject
        {
            ["id"] = pull.Id,
            ["number"] = pull.Number,
            ["url"] = urls.PullApi(repo.FullName, pull.Number),
            ["head"] = Ref(pull.HeadRef, pull.HeadSha),
            ["base"] = Ref(pull.BaseRef, pull.BaseSha),
        };
    }

    private string MergeableState(RepoRow repo, PullRow pull, bool? mergeable) => mergeable switch
    {
        null => "unknown",
        false => "dirty",
        _ when pull.IsDraft => "draft",
        _ when db.LacksApproval(repo, pull) => "blocked",
        _ => db.CombinedState(repo.Id, pull.HeadSha) is "failure" or "error" ? "unstable" : "clean",
    };

    private JsonObject Side(RepoRow repo, string branch, string sha) => new()
    {
        ["label"] = $"{repo.Owner}:{branch}",
        ["ref"] = branch,
        ["sha"] = sha,
        ["user"] = User(repo.OwnerId),
        ["repo"] = Repository(repo, null),
    };

    private static JsonObject Links(params ReadOnlySpan<(string Name, string Href)> links)
    {
        var json = new JsonObject();
        foreach (var (name, href) in links)
        {
            json[name] = new JsonObject { ["href"] = href };
        }

        return json;
    }
}
