using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Pulls;

/// <summary>Where a new inline comment wants to stand.</summary>
internal sealed record NewInline(string Path, string Body, string Side, int? Line, string? StartSide, int? StartLine, int? Position, bool IsFile);

/// <summary>Reviews, inline threads, replies and their resolution. One line outside the diff refuses a whole review.</summary>
internal sealed class ReviewService(Database database, RepositoryFolder folder, PullService pulls, Events events, TimeProvider time)
{
    public async Task<ReviewRow> CreateAsync(
        RepoRow repo, PullRow pull, UserRow by, string? verdict, string body, string? commit, IReadOnlyList<NewInline> comments, CancellationToken cancellationToken)
    {
        CheckVerdict(pull, by, verdict, body, comments.Count);
        if (commit is not null && !GitNames.IsObjectId(commit))
        {
            throw ForgeRefusal.Unprocessable("Commit is not part of the pull request");
        }

        var placed = await PlaceAsync(repo, pull, comments, cancellationToken);
        return database.Write(db =>
        {
            var review = InsertReview(db, pull, by, State(verdict), body, commit ?? pull.HeadSha);
            foreach (var place in placed)
            {
                InsertComment(db, pull, review.Id, by, InsertThread(db, pull, place), place.Order.Body, null);
            }

            if (verdict is not null)
            {
                Publish(db, repo, pull, review, by);
            }

            return review;
        });
    }

    public ReviewRow Submit(RepoRow repo, PullRow pull, long reviewId, UserRow by, string verdict, string? body) => database.Write(db =>
    {
        var review = db.FindReview(pull.Id, reviewId) ?? throw ForgeRefusal.NotFound();
        CheckVerdict(pull, by, verdict, body ?? review.Body, 1);
        if (review.State != "PENDING" || review.AuthorId != by.Id)
        {
            throw ForgeRefusal.Unprocessable("Can not submit a review that is not pending");
        }

        db.Execute(
            "UPDATE Reviews SET State = @state, Body = coalesce(@body, Body), SubmittedAt = @now WHERE Id = @reviewId",
            new { reviewId, state = State(verdict), body, now = time.Now() });
        var submitted = db.FindReview(pull.Id, reviewId)!;
        Publish(db, repo, pull, submitted, by);
        return submitted;
    });

    public ReviewRow Dismiss(RepoRow repo, PullRow pull, long reviewId, UserRow by) => database.Write(db =>
    {
        var review = db.FindReview(pull.Id, reviewId) ?? throw ForgeRefusal.NotFound();
        if (review.State is not ("APPROVED" or "CHANGES_REQUESTED"))
        {
            throw ForgeRefusal.Unprocessable("Can not dismiss a commented pull request review");
        }

        db.Execute("UPDATE Reviews SET State = 'DISMISSED' WHERE Id = @reviewId", new { reviewId });
        var dismissed = db.FindReview(pull.Id, reviewId)!;
        EmitReview(db, repo, pull, dismissed, "dismissed", by);
        return dismissed;
    });

    public async Task<ReviewCommentRow> CommentAsync(RepoRow repo, PullRow pull, UserRow by, NewInline order, CancellationToken cancellationToken)
    {
        var placed = await PlaceAsync(repo, pull, [order], cancellationToken);
        return database.Write(db =>
        {
            var review = InsertReview(db, pull, by, "COMMENTED", "", pull.HeadSha);
            var comment = InsertComment(db, pull, review.Id, by, InsertThread(db, pull, placed[0]), order.Body, null);
            Publish(db, repo, pull, review, by);
            return comment;
        });
    }

    /// <summary>Adds to the thread of a comment; the comment may be any of the thread.</summary>
    public ReviewCommentRow Reply(RepoRow repo, PullRow pull, long threadId, UserRow by, string body) => database.Write(db =>
    {
        var top = db.ReviewCommentsOf(pull.Id).FirstOrDefault(c => c.ThreadId == threadId) ?? throw ForgeRefusal.NotFound();
        var review = InsertReview(db, pull, by, "COMMENTED", "", pull.HeadSha);
        var comment = InsertComment(db, pull, review.Id, by, threadId, body, top.Id);
        Publish(db, repo, pull, review, by);
        return comment;
    });

    public ThreadRow Resolve(RepoRow repo, PullRow pull, ThreadRow thread, bool resolved, UserRow by) => database.Write(db =>
    {
        if (thread.IsResolved != resolved)
        {
            db.Execute(
                "UPDATE Threads SET IsResolved = @resolved, ResolvedById = @by WHERE Id = @Id", new { thread.Id, resolved, by = resolved ? by.Id : (long?)null });
            events.Emit(db, repo, "pull_request_review_thread", resolved ? "resolved" : "unresolved", by, (r, json) =>
            {
                json["pull_request"] = r.PullSimple(repo, pull);
                json["thread"] = new System.Text.Json.Nodes.JsonObject
                {
                    ["node_id"] = NodeIds.Of("PullRequestReviewThread", thread.Id),
                    ["comments"] = new System.Text.Json.Nodes.JsonArray(
                        [.. db.ReviewCommentsOf(pull.Id).Where(c => c.ThreadId == thread.Id).Select(c => r.ReviewComment(repo, pull, c, thread))]),
                };
            });
        }

        return db.Thread(thread.Id);
    });

    private sealed record Placed(NewInline Order, DiffPosition? At, DiffFile File);

    private async Task<IReadOnlyList<Placed>> PlaceAsync(RepoRow repo, PullRow pull, IReadOnlyList<NewInline> orders, CancellationToken cancellationToken)
    {
        if (orders.Count == 0)
        {
            return [];
        }

        var start = await pulls.ForkPointAsync(repo, pull, cancellationToken);
        var files = await folder.Open(repo).DiffAsync(start, pull.HeadSha, withPatch: true, cancellationToken);
        return [.. orders.Select(o => Place(o, files.FirstOrDefault(f => f.Path == o.Path) ?? throw ForgeRefusal.Unprocessable("Path could not be resolved")))];
    }

    private static Placed Place(NewInline order, DiffFile file)
    {
        if (order.IsFile)
        {
            return new Placed(order, null, file);
        }

        var lines = DiffPosition.Of(file);
        bool On(DiffPosition p, string side, int line) => (side == "LEFT" ? p.Left : p.Right) == line;
        var at = order.Line is { } line ? lines.FirstOrDefault(p => On(p, order.Side, line)) : lines.FirstOrDefault(p => p.Position == order.Position);
        if (at is null || (order.StartLine is { } first && (first > order.Line || !lines.Any(p => On(p, order.StartSide ?? order.Side, first)))))
        {
            throw ForgeRefusal.Unprocessable("Line could not be resolved");
        }

        return new Placed(order with { Line = order.Line ?? at.Right ?? at.Left, Side = order.Line is null && at.Right is null ? "LEFT" : order.Side }, at, file);
    }

    private static void CheckVerdict(PullRow pull, UserRow by, string? verdict, string body, int comments)
    {
        if (verdict is not (null or "APPROVE" or "REQUEST_CHANGES" or "COMMENT"))
        {
            throw ForgeRefusal.Unprocessable("event is not included in the list");
        }

        if (verdict is "APPROVE" or "REQUEST_CHANGES" && by.Id == pull.AuthorId)
        {
            throw ForgeRefusal.Unprocessable(verdict == "APPROVE" ? "Can not approve your own pull request" : "Can not request changes on your own pull request");
        }

        if (body.Length == 0 && (verdict == "REQUEST_CHANGES" || (verdict == "COMMENT" && comments == 0)))
        {
            throw ForgeRefusal.Unprocessable("Body can't be blank");
        }
    }

    private static string State(string? verdict) =>
        verdict switch { "APPROVE" => "APPROVED", "REQUEST_CHANGES" => "CHANGES_REQUESTED", "COMMENT" => "COMMENTED", _ => "PENDING" };

    private ReviewRow InsertReview(SqliteConnection db, PullRow pull, UserRow by, string state, string body, string commit)
    {
        var id = db.ExecuteScalar<long>(
            "INSERT INTO Reviews (PullId, AuthorId, State, Body, CommitSha, SubmittedAt) VALUES (@Id, @by, @state, @body, @commit, @at) RETURNING Id",
            new { pull.Id, by = by.Id, state, body, commit, at = state == "PENDING" ? (long?)null : time.Now() });
        return db.FindReview(pull.Id, id)!;
    }

    private static long InsertThread(SqliteConnection db, PullRow pull, Placed place) => db.ExecuteScalar<long>(
        """
        INSERT INTO Threads (PullId, Path, SubjectType, Side, Line, StartSide, StartLine, Position, OriginalLine, OriginalStartLine, OriginalPosition,
          CommitSha, OriginalSha, DiffHunk)
        VALUES (@Id, @path, @kind, @side, @line, @startSide, @startLine, @position, @line, @startLine, coalesce(@position, 1), @HeadSha, @HeadSha, @hunk)
        RETURNING Id
        """,
        new
        {
            pull.Id, path = place.File.Path, kind = place.Order.IsFile ? "file" : "line", side = place.Order.Side, line = place.At is null ? null : place.Order.Line,
            startSide = place.Order.StartLine is null ? null : place.Order.StartSide ?? place.Order.Side, startLine = place.Order.StartLine,
            position = place.At?.Position, pull.HeadSha, hunk = place.At?.Hunk ?? "",
        });

    private ReviewCommentRow InsertComment(SqliteConnection db, PullRow pull, long reviewId, UserRow by, long threadId, string body, long? inReplyTo)
    {
        var id = db.ExecuteScalar<long>(
            """
            INSERT INTO ReviewComments (ThreadId, PullId, ReviewId, AuthorId, Body, InReplyTo, CreatedAt, UpdatedAt)
            VALUES (@threadId, @Id, @reviewId, @by, @body, @inReplyTo, @now, @now) RETURNING Id
            """,
            new { threadId, pull.Id, reviewId, by = by.Id, body, inReplyTo, now = time.Now() });
        return db.FindReviewComment(pull.RepoId, id)!;
    }

    private void Publish(SqliteConnection db, RepoRow repo, PullRow pull, ReviewRow review, UserRow by)
    {
        db.Touch(pull.IssueId, time.Now());
        db.Execute("DELETE FROM ReviewRequests WHERE PullId = @Id AND UserId = @by", new { pull.Id, by = by.Id });
        EmitReview(db, repo, pull, review, "submitted", by);
        foreach (var comment in db.ReviewCommentsOf(pull.Id).Where(c => c.ReviewId == review.Id))
        {
            events.Emit(db, repo, "pull_request_review_comment", "created", by, (r, json) =>
            {
                json["comment"] = r.ReviewComment(repo, pull, comment, db.Thread(comment.ThreadId));
                json["pull_request"] = r.PullSimple(repo, pull);
            });
        }
    }

    private void EmitReview(SqliteConnection db, RepoRow repo, PullRow pull, ReviewRow review, string action, UserRow by) =>
        events.Emit(db, repo, "pull_request_review", action, by, (r, json) =>
        {
            var body = r.Review(repo, pull, review);
            body["state"] = review.State.ToLowerInvariant();
            json["review"] = body;
            json["pull_request"] = r.PullSimple(repo, pull);
        });
}
