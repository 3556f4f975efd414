using System.Text.Json.Nodes;
using Dapper;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Rest;

internal sealed class ReviewEndpoints(Database database, PullService pulls, ReviewService reviews, Events events, TimeProvider time)
{
    private const string Of = RestMap.Repo + "/pulls/{number}/reviews";
    private const string Comments = RestMap.Repo + "/pulls/{number}/comments";
    private const string All = RestMap.Repo + "/pulls/comments";

    public void Map(RestEdge api)
    {
        api.Get(Of, ForgeRole.Read, ListAsync);
        api.Post(Of, ForgeRole.Read, CreateAsync);
        api.Get(Of + "/{review}", ForgeRole.Read, async c => Render(c, await PullAsync(c), Review(c, await PullAsync(c))));
        api.Get(Of + "/{review}/comments", ForgeRole.Read, CommentsOfReviewAsync);
        api.Post(Of + "/{review}/events", ForgeRole.Read, SubmitAsync);
        api.Put(Of + "/{review}/dismissals", ForgeRole.Write, DismissAsync);
        api.Get(Comments, ForgeRole.Read, CommentsOfPullAsync);
        api.Post(Comments, ForgeRole.Read, CommentAsync);
        api.Post(Comments + "/{id}/replies", ForgeRole.Read, async c => await ReplyAsync(c, c.Id("id")));
        api.Get(All, ForgeRole.Read, CommentsOfRepo);
        api.Get(All + "/{id}", ForgeRole.Read, c => Task.FromResult(RestResult.Ok(Render(c, Comment(c)))));
        api.Patch(All + "/{id}", ForgeRole.Read, Edit);
        api.Delete(All + "/{id}", ForgeRole.Read, Delete);
    }

    private Task<PullRow> PullAsync(RestCall call) => pulls.GetAsync(call.Repo, call.Number(), call.Aborted);

    private ReviewRow Review(RestCall call, PullRow pull)
    {
        var review = database.Read(db => db.FindReview(pull.Id, call.Id("review"))) ?? throw ForgeRefusal.NotFound();
        return Visible(call, review) ? review : throw ForgeRefusal.NotFound();
    }

    // A pending review is its author's alone.
    private static bool Visible(RestCall call, ReviewRow review) => review.State != "PENDING" || review.AuthorId == call.Viewer?.Id;

    private ReviewCommentRow Comment(RestCall call) =>
        database.Read(db => db.FindReviewComment(call.Repo.Id, call.Id("id"))) ?? throw ForgeRefusal.NotFound();

    private static RestResult Render(RestCall call, PullRow pull, ReviewRow review) => RestResult.Ok(call.Read((_, r) => r.Review(call.Repo, pull, review)));

    private static JsonObject Render(RestCall call, ReviewCommentRow comment) =>
        call.Read((db, r) => r.ReviewComment(call.Repo, db.Pull(comment.PullId), comment, db.Thread(comment.ThreadId)));

    private static IReadOnlyList<ReviewCommentRow> Published(RestCall call, IReadOnlyList<ReviewCommentRow> comments)
    {
        var since = call.Since();
        return call.Read((db, _) => (IReadOnlyList<ReviewCommentRow>)[.. comments.Where(c =>
            (since is null || c.UpdatedAt >= since) && db.FindReview(c.PullId, c.ReviewId) is { } review && Visible(call, review))]);
    }

    private async Task<RestResult> ListAsync(RestCall call)
    {
        var pull = await PullAsync(call);
        return call.Read((db, r) => RestResult.Page(call, [.. db.ReviewsOf(pull.Id).Where(v => Visible(call, v))], v => r.Review(call.Repo, pull, v)));
    }

    private async Task<RestResult> CreateAsync(RestCall call)
    {
        var comments = (call.Field("comments") as JsonArray ?? []).Select(n => Inline(n as JsonObject ?? throw ForgeRefusal.Unprocessable("comments are not objects"))).ToList();
        var pull = await PullAsync(call);
        var review = await reviews.CreateAsync(call.Repo, pull, call.Caller, call.Text("event"), call.Text("body") ?? "", call.Text("commit_id"), comments, call.Aborted);
        return Render(call, pull, review);
    }

    private static NewInline Inline(JsonObject json)
    {
        string? Text(string field) => json[field] is JsonValue v && v.TryGetValue<string>(out var text) ? text : null;
        int? Whole(string field) => json[field] is JsonValue v && v.TryGetValue<int>(out var number) ? number : null;
        var isFile = Text("subject_type") == "file";
        var (path, body) = (Text("path"), Text("body"));
        if (string.IsNullOrEmpty(path) || string.IsNullOrEmpty(body) || (!isFile && Whole("line") is null && Whole("position") is null))
        {
            throw ForgeRefusal.Unprocessable("path, body and line are required");
        }

        return new NewInline(path, body, Text("side") == "LEFT" ? "LEFT" : "RIGHT", Whole("line"), Text("start_side"), Whole("start_line"), Whole("position"), isFile);
    }

    private async Task<RestResult> CommentsOfReviewAsync(RestCall call)
    {
        var pull = await PullAsync(call);
        var review = Review(call, pull);
        return call.Read((db, r) => RestResult.Page(
            call, [.. db.ReviewCommentsOf(pull.Id).Where(c => c.ReviewId == review.Id)], c => r.ReviewComment(call.Repo, pull, c, db.Thread(c.ThreadId), ofReview: true)));
    }

    private async Task<RestResult> SubmitAsync(RestCall call)
    {
        var pull = await PullAsync(call);
        return Render(call, pull, reviews.Submit(call.Repo, pull, call.Id("review"), call.Caller, call.Text("event") ?? "", call.Text("body")));
    }

    private async Task<RestResult> DismissAsync(RestCall call)
    {
        var pull = await PullAsync(call);
        call.Required("PullRequestReview", "message");
        return Render(call, pull, reviews.Dismiss(call.Repo, pull, call.Id("review"), call.Caller));
    }

    private async Task<RestResult> CommentsOfPullAsync(RestCall call)
    {
        var pull = await PullAsync(call);
        return Page(call, Published(call, call.Read((db, _) => db.ReviewCommentsOf(pull.Id))));
    }

    private async Task<RestResult> CommentsOfRepo(RestCall call)
    {
        await Task.CompletedTask;
        return Page(call, Published(call, call.Read((db, _) => db.ReviewCommentsOfRepo(call.Repo.Id))));
    }

    private static RestResult Page(RestCall call, IReadOnlyList<ReviewCommentRow> comments) => RestResult.Page(
        call, IssueEndpoints.Sorted(call, comments, c => c.CreatedAt, c => c.UpdatedAt, c => c.Id, "asc"), c => Render(call, c));

    private async Task<RestResult> CommentAsync(RestCall call)
    {
        if (call.Whole("in_reply_to") is { } parent)
        {
            return await ReplyAsync(call, parent);
        }

        var order = Inline(call.Body);
        var comment = await reviews.CommentAsync(call.Repo, await PullAsync(call), call.Caller, order, call.Aborted);
        return RestResult.Created(Render(call, comment));
    }

    private async Task<RestResult> ReplyAsync(RestCall call, long parentId)
    {
        var pull = await PullAsync(call);
        var parent = database.Read(db => db.FindReviewComment(call.Repo.Id, parentId));
        if (parent is null || parent.PullId != pull.Id || parent.InReplyTo is not null)
        {
            throw ForgeRefusal.NotFound();
        }

        return RestResult.Created(Render(call, reviews.Reply(call.Repo, pull, parent.ThreadId, call.Caller, IssueEndpoints.Body(call))));
    }

    private ReviewCommentRow Own(RestCall call)
    {
        var comment = Comment(call);
        return comment.AuthorId == call.Caller.Id || call.Role >= ForgeRole.Maintain ? comment : throw ForgeRefusal.Forbidden();
    }

    private Task<RestResult> Edit(RestCall call)
    {
        var comment = Own(call);
        database.Write(db => db.Execute(
            "UPDATE ReviewComments SET Body = @body, UpdatedAt = @now WHERE Id = @Id", new { comment.Id, body = IssueEndpoints.Body(call), now = time.Now() }));
        Announce(call, comment, "edited");
        return Task.FromResult(RestResult.Ok(Render(call, Comment(call))));
    }

    private Task<RestResult> Delete(RestCall call)
    {
        var comment = Own(call);
        Announce(call, comment, "deleted");
        database.Write(db => db.Execute("DELETE FROM ReviewComments WHERE Id = @Id", new { comment.Id }));
        return Task.FromResult(RestResult.NoContent());
    }

    private void Announce(RestCall call, ReviewCommentRow comment, string action) => database.Write(db =>
    {
        var pull = db.Pull(comment.PullId);
        db.Touch(pull.IssueId, time.Now());
        events.Emit(db, call.Repo, "pull_request_review_comment", action, call.Caller, (r, json) =>
        {
            json["comment"] = r.ReviewComment(call.Repo, pull, db.FindReviewComment(call.Repo.Id, comment.Id)!, db.Thread(comment.ThreadId));
            json["pull_request"] = r.PullSimple(call.Repo, pull);
        });
    });
}
