using System.Text.Json.Nodes;
using Drella.Forge.Storage;

namespace Drella.Forge.Rendering;

internal sealed partial class Renderer
{
    public JsonObject Status(RepoRow repo, StatusRow status)
    {
        var json = SimpleStatus(repo, status);
        json["creator"] = User(status.CreatorId);
        return json;
    }

    public JsonObject SimpleStatus(RepoRow repo, StatusRow status) => new()
    {
        ["url"] = $"{urls.RepoApi(repo.FullName)}/statuses/{status.Sha}",
        ["avatar_url"] = $"{urls.Web}/-/avatar/{status.CreatorId}",
        ["id"] = status.Id,
        ["node_id"] = NodeIds.Of("StatusContext", status.Id),
        ["state"] = status.State,
        ["description"] = status.Description,
        ["target_url"] = status.TargetUrl,
        ["context"] = status.Context,
        ["created_at"] = Times.Iso(status.CreatedAt),
        ["updated_at"] = Times.Iso(status.CreatedAt),
    };

    public JsonObject CheckRun(RepoRow repo, CheckRunRow run)
    {
        var api = $"{urls.RepoApi(repo.FullName)}/check-runs/{run.Id}";
        return new JsonObject
        {
            ["id"] = run.Id,
            ["head_sha"] = run.HeadSha,
            ["node_id"] = NodeIds.Of("CheckRun", run.Id),
            ["external_id"] = run.ExternalId ?? "",
            ["url"] = api,
            ["html_url"] = urls.CommitWeb(repo.FullName, run.HeadSha),
            ["details_url"] = run.DetailsUrl,
            ["status"] = run.Status,
            ["conclusion"] = run.Conclusion,
            ["started_at"] = Times.Iso(run.StartedAt),
            ["completed_at"] = Times.Iso(run.CompletedAt),
            ["output"] = new JsonObject
            {
                ["title"] = run.Title,
                ["summary"] = run.Summary,
                ["text"] = run.Text,
                ["annotations_count"] = JsonNode.Parse(run.Annotations)!.AsArray().Count,
                ["annotations_url"] = $"{api}/annotations",
            },
            ["name"] = run.Name,
            ["check_suite"] = new JsonObject { ["id"] = 1 },
            ["app"] = null,
            ["pull_requests"] = new JsonArray([.. db.PullsWithHead(repo.Id, run.HeadSha).Select(p => PullMinimal(repo, p))]),
        };
    }
}
