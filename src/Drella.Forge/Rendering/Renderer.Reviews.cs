using System.Text.Json.Nodes;
using Drella.Forge.Storage;

namespace Drella.Forge.Rendering;

internal sealed partial class Renderer
{
    public JsonObject Review(RepoRow repo, PullRow pull, ReviewRow review)
    {
        var html = $"{urls.PullWeb(repo.FullName, pull.Number)}#pullrequestreview-{review.Id}";
        var json = new JsonObject
        {
            ["id"] = review.Id,
            ["node_id"] = NodeIds.Of("PullRequestReview", review.Id),
            ["user"] = User(review.AuthorId),
            ["body"] = review.Body,
            ["state"] = review.State,
            ["html_url"] = html,
            ["pull_request_url"] = urls.PullApi(repo.FullName, pull.Number),
            ["author_association"] = Association(repo, review.AuthorId),
            ["_links"] = Links(("html", html), ("pull_request", urls.PullApi(repo.FullName, pull.Number))),
            ["commit_id"] = review.CommitSha,
        };
        if (review.SubmittedAt is { } submitted)
        {
            json["submitted_at"] = Times.Iso(submitted);
        }

        return json;
    }

    public JsonObject ReviewComment(RepoRow repo, PullRow pull, ReviewCommentRow comment, ThreadRow thread, bool ofReview = false)
    {
        var api = $"{urls.RepoApi(repo.FullName)}/pulls/comments/{comment.Id}";
        var html = $"{urls.PullWeb(repo.FullName, pull.Number)}#discussion_r{comment.Id}";
        var json = new JsonObject
        {
            ["url"] = api,
            ["pull_request_review_id"] = comment.ReviewId,
            ["id"] = comment.Id,
            ["node_id"] = NodeIds.Of("PullRequestReviewComment", comment.Id),
            ["diff_hunk"] = thread.DiffHunk,
            ["path"] = thread.Path,
            ["commit_id"] = thread.CommitSha,
            ["original_commit_id"] = thread.OriginalSha,
            ["user"] = User(comment.AuthorId),
            ["body"] = comment.Body,
            ["created_at"] = Times.Iso(comment.CreatedAt),
            ["updated_at"] = Times.Iso(comment.UpdatedAt),
            ["html_url"] = html,
            ["pull_request_url"] = urls.PullApi(repo.FullName, pull.Number),
            ["author_association"] = Association(repo, comment.AuthorId),
            ["_links"] = Links(("self", api), ("html", html), ("pull_request", urls.PullApi(repo.FullName, pull.Number))),
            ["reactions"] = Reactions("review_comment", comment.Id, $"{api}/reactions"),
            ["side"] = thread.Side,
            ["line"] = thread.Line,
            ["original_line"] = thread.OriginalLine,
            ["start_line"] = thread.StartLine,
            ["original_start_line"] = thread.OriginalStartLine,
            ["start_side"] = thread.StartSide,
            ["position"] = thread.Position,
            ["original_position"] = thread.OriginalPosition,
            ["subject_type"] = thread.SubjectType,
        };
        // In the description these are numbers or absent, never null; only a review's own list knows a null position.
        foreach (var field in (ReadOnlySpan<string>)["line", "original_line", "position"])
        {
            if (json[field] is null && !(ofReview && field == "position"))
            {
                json.Remove(field);
            }
        }

        if (comment.InReplyTo is { } parent)
        {
            json["in_reply_to_id"] = parent;
        }

        return json;
    }
}
