using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Storage;

namespace Drella.Forge.Rendering;

internal sealed partial class Renderer
{
    public JsonObject Issue(RepoRow repo, IssueRow issue)
    {
        var api = urls.IssueApi(repo.FullName, issue.Number);
        var json = new JsonObject
        {
            ["id"] = issue.Id,
            ["node_id"] = NodeIds.Of(issue.IsPull ? "PullIssue" : "Issue", issue.Id),
            ["url"] = api,
            ["repository_url"] = urls.RepoApi(repo.FullName),
            ["labels_url"] = $"{api}/labels{{/name}}",
            ["comments_url"] = $"{api}/comments",
            ["events_url"] = $"{api}/events",
            ["timeline_url"] = $"{api}/timeline",
            ["html_url"] = urls.IssueWeb(repo.FullName, issue.Number, issue.IsPull),
            ["number"] = issue.Number,
            ["state"] = issue.State,
            ["state_reason"] = issue.StateReason,
            ["title"] = issue.Title,
            ["body"] = issue.Body,
            ["user"] = User(issue.AuthorId),
            ["labels"] = Labels(repo, issue.Id),
            ["milestone"] = null,
            ["locked"] = false,
            ["active_lock_reason"] = null,
            ["comments"] = db.ExecuteScalar<int>("SELECT count(*) FROM Comments WHERE IssueId = @id", new { id = issue.Id }),
            ["closed_at"] = Times.Iso(issue.ClosedAt),
            ["created_at"] = Times.Iso(issue.CreatedAt),
            ["updated_at"] = Times.Iso(issue.UpdatedAt),
            ["closed_by"] = UserOrNull(issue.ClosedById),
            ["author_association"] = Association(repo, issue.AuthorId),
            ["reactions"] = Reactions("issue", issue.Id, $"{api}/reactions"),
        };
        AddAssignees(json, issue.Id);
        if (issue.IsPull && db.FindPull(repo.Id, issue.Number) is { } pull)
        {
            json["draft"] = pull.IsDraft;
            json["pull_request"] = new JsonObject
            {
                ["url"] = urls.PullApi(repo.FullName, issue.Number),
                ["html_url"] = urls.PullWeb(repo.FullName, issue.Number),
                ["diff_url"] = urls.PullWeb(repo.FullName, issue.Number) + ".diff",
                ["patch_url"] = urls.PullWeb(repo.FullName, issue.Number) + ".patch",
                ["merged_at"] = Times.Iso(pull.MergedAt),
            };
        }

        return json;
    }

    public JsonArray Labels(RepoRow repo, long issueId) => [.. db.LabelsOf(issueId).Select(l => Label(repo, l))];

    public JsonObject Label(RepoRow repo, LabelRow label) => new()
    {
        ["id"] = label.Id,
        ["node_id"] = NodeIds.Of("Label", label.Id),
        ["url"] = $"{urls.RepoApi(repo.FullName)}/labels/{Uri.EscapeDataString(label.Name)}",
        ["name"] = label.Name,
        ["description"] = label.Description ?? "",
        ["color"] = label.Color,
        ["default"] = false,
    };

    public JsonObject Comment(RepoRow repo, CommentRow comment)
    {
        var api = $"{urls.RepoApi(repo.FullName)}/issues/comments/{comment.Id}";
        return new JsonObject
        {
            ["id"] = comment.Id,
            ["node_id"] = NodeIds.Of("IssueComment", comment.Id),
            ["url"] = api,
            ["html_url"] = $"{urls.IssueWeb(repo.FullName, comment.Number, comment.IsPull)}#issuecomment-{comment.Id}",
            ["issue_url"] = urls.IssueApi(repo.FullName, comment.Number),
            ["user"] = User(comment.AuthorId),
            ["body"] = comment.Body,
            ["created_at"] = Times.Iso(comment.CreatedAt),
            ["updated_at"] = Times.Iso(comment.UpdatedAt),
            ["author_association"] = Association(repo, comment.AuthorId),
            ["performed_via_github_app"] = null,
            ["reactions"] = Reactions("comment", comment.Id, $"{api}/reactions"),
        };
    }

    public JsonObject Reaction(ReactionRow reaction) => new()
    {
        ["id"] = reaction.Id,
        ["node_id"] = NodeIds.Of("Reaction", reaction.Id),
        ["user"] = User(reaction.UserId),
        ["content"] = reaction.Content,
        ["created_at"] = Times.Iso(reaction.CreatedAt),
    };

    public JsonObject Reactions(string subject, long subjectId, string api)
    {
        var counts = db.Query<(string Content, int Count)>(
                "SELECT Content, count(*) FROM Reactions WHERE Subject = @subject AND SubjectId = @subjectId GROUP BY Content", new { subject, subjectId })
            .ToDictionary(r => r.Content, r => r.Count, StringComparer.Ordinal);
        var json = new JsonObject { ["url"] = api, ["total_count"] = counts.Values.Sum() };
        foreach (var content in ReactionContents)
        {
            json[content] = counts.GetValueOrDefault(content);
        }

        return json;
    }

    public static IReadOnlyList<string> ReactionContents { get; } = ["+1", "-1", "laugh", "confused", "heart", "hooray", "rocket", "eyes"];

    /// <summary>One line of an issue's history: a comment, a label, a state change.</summary>
    public JsonObject TimelineEvent(RepoRow repo, TimelineRow entry)
    {
        var json = new JsonObject
        {
            ["id"] = entry.Id,
            ["node_id"] = NodeIds.Of("TimelineEvent", entry.Id),
            ["url"] = $"{urls.RepoApi(repo.FullName)}/issues/events/{entry.Id}",
            ["actor"] = User(entry.ActorId),
            ["event"] = entry.Kind,
            ["commit_id"] = entry.CommitSha,
            ["commit_url"] = entry.CommitSha is null ? null : urls.CommitApi(repo.FullName, entry.CommitSha),
            ["created_at"] = Times.Iso(entry.CreatedAt),
            ["performed_via_github_app"] = null,
        };
        if (entry.Kind is "labeled" or "unlabeled")
        {
            json["label"] = new JsonObject { ["name"] = entry.Detail, ["color"] = "ededed" };
        }
        else if (entry.Kind is "closed" or "reopened")
        {
            json["state_reason"] = entry.Detail;
        }

        return json;
    }

    public JsonObject TimelineComment(RepoRow repo, CommentRow comment)
    {
        var json = Comment(repo, comment);
        json["event"] = "commented";
        json["actor"] = User(comment.AuthorId);
        return json;
    }

    private void AddAssignees(JsonObject json, long issueId)
    {
        var assignees = db.AssigneesOf(issueId);
        json["assignee"] = assignees.Count > 0 ? User(assignees[0]) : null;
        json["assignees"] = new JsonArray([.. assignees.Select(User)]);
    }
}
