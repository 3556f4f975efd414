using Dapper;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Issues;

/// <summary>Issues, and the conversation, labels and reactions that issues and pull requests share.</summary>
internal sealed class IssueService(Database database, ClosingWords closing, Events events, TimeProvider time)
{
    public IssueRow Create(
        RepoRow repo, UserRow author, string title, string? body, IReadOnlyList<string>? labels, IReadOnlyList<string>? assignees) => database.Write(db =>
    {
        var id = db.InsertIssue(repo.Id, isPull: false, title, body, author.Id, time.Now());
        if (db.RoleOf(repo, author) >= ForgeRole.Triage)
        {
            SetLabels(db, repo, id, labels ?? [], author);
            SetAssignees(db, id, assignees ?? []);
        }

        events.Emit(db, repo, "issues", "opened", author, (r, json) => json["issue"] = r.Issue(repo, db.Issue(id)));
        return db.Issue(id);
    });

    public IssueRow Update(
        RepoRow repo, IssueRow issue, UserRow by, string? title, (bool Set, string? Text) body, string? state, string? reason,
        IReadOnlyList<string>? labels, IReadOnlyList<string>? assignees) => database.Write(db =>
    {
        var now = time.Now();
        if (title is not null || body.Set)
        {
            db.Execute(
                "UPDATE Issues SET Title = coalesce(@title, Title), Body = CASE WHEN @set THEN @text ELSE Body END, UpdatedAt = @now WHERE Id = @Id",
                new { issue.Id, title, set = body.Set, text = body.Text, now });
            events.Emit(db, repo, "issues", "edited", by, (r, json) => json["issue"] = r.Issue(repo, db.Issue(issue.Id)));
        }

        if (labels is not null)
        {
            SetLabels(db, repo, issue.Id, labels, by);
        }

        if (assignees is not null)
        {
            SetAssignees(db, issue.Id, assignees);
        }

        if (state == "closed" && issue.IsOpen)
        {
            closing.Close(db, repo, issue, by, reason ?? "completed", null);
        }
        else if (state == "open" && !issue.IsOpen)
        {
            db.Execute(
                "UPDATE Issues SET State = 'open', StateReason = 'reopened', ClosedAt = NULL, ClosedById = NULL, UpdatedAt = @now WHERE Id = @Id", new { issue.Id, now });
            db.AddTimeline(issue.Id, "reopened", by.Id, now);
            events.Emit(db, repo, "issues", "reopened", by, (r, json) => json["issue"] = r.Issue(repo, db.Issue(issue.Id)));
        }

        return db.Issue(issue.Id);
    });

    public CommentRow Comment(RepoRow repo, IssueRow issue, UserRow author, string body) => database.Write(db =>
    {
        var now = time.Now();
        var id = db.ExecuteScalar<long>(
            "INSERT INTO Comments (IssueId, AuthorId, Body, CreatedAt, UpdatedAt) VALUES (@Id, @by, @body, @now, @now) RETURNING Id",
            new { issue.Id, by = author.Id, body, now });
        db.Touch(issue.Id, now);
        return Announce(db, repo, id, "created", author);
    });

    public CommentRow EditComment(RepoRow repo, CommentRow comment, UserRow by, string body) => database.Write(db =>
    {
        db.Execute("UPDATE Comments SET Body = @body, UpdatedAt = @now WHERE Id = @Id", new { comment.Id, body, now = time.Now() });
        db.Touch(comment.IssueId, time.Now());
        return Announce(db, repo, comment.Id, "edited", by);
    });

    public void DeleteComment(RepoRow repo, CommentRow comment, UserRow by) => database.Write(db =>
    {
        Announce(db, repo, comment.Id, "deleted", by);
        db.Execute("DELETE FROM Comments WHERE Id = @Id", new { comment.Id });
        db.Touch(comment.IssueId, time.Now());
    });

    public void ChangeLabels(RepoRow repo, IssueRow issue, UserRow by, IReadOnlyList<string> add, Func<string, bool> remove) => database.Write(db =>
        SetLabels(db, repo, issue.Id, [.. db.LabelsOf(issue.Id).Select(l => l.Name).Where(l => !remove(l)), .. add], by));

    public void ChangeAssignees(IssueRow issue, IReadOnlyList<string> logins, bool add) => database.Write(db =>
    {
        var current = db.AssigneesOf(issue.Id).Select(id => db.User(id).Login);
        SetAssignees(db, issue.Id, add ? [.. current, .. logins] : [.. current.Except(logins, StringComparer.OrdinalIgnoreCase)]);
        db.Touch(issue.Id, time.Now());
    });

    /// <summary>The reaction, and whether it is new.</summary>
    public (ReactionRow Row, bool IsNew) React(string subject, long subjectId, UserRow by, string content) => database.Write(db =>
    {
        var values = new { subject, subjectId, by = by.Id, content, now = time.Now() };
        var added = db.Execute(
            "INSERT INTO Reactions (Subject, SubjectId, UserId, Content, CreatedAt) VALUES (@subject, @subjectId, @by, @content, @now) ON CONFLICT DO NOTHING", values);
        return (db.QuerySingle<ReactionRow>(
            "SELECT * FROM Reactions WHERE Subject = @subject AND SubjectId = @subjectId AND UserId = @by AND Content = @content", values), added > 0);
    });

    private CommentRow Announce(Microsoft.Data.Sqlite.SqliteConnection db, RepoRow repo, long commentId, string action, UserRow by)
    {
        var comment = db.FindComment(repo.Id, commentId)!;
        events.Emit(db, repo, "issue_comment", action, by, (r, json) =>
        {
            json["issue"] = r.Issue(repo, db.Issue(comment.IssueId));
            json["comment"] = r.Comment(repo, comment);
        });
        return comment;
    }

    private void SetLabels(Microsoft.Data.Sqlite.SqliteConnection db, RepoRow repo, long issueId, IReadOnlyList<string> names, UserRow by)
    {
        var before = db.LabelsOf(issueId).Select(l => l.Name).ToHashSet(StringComparer.OrdinalIgnoreCase);
        var after = names.Where(n => n.Trim().Length is > 0 and <= 50).Distinct(StringComparer.OrdinalIgnoreCase).ToList();
        db.Execute("DELETE FROM IssueLabels WHERE IssueId = @issueId", new { issueId });
        foreach (var name in after)
        {
            db.Execute("INSERT INTO IssueLabels VALUES (@issueId, @label)", new { issueId, label = db.EnsureLabel(repo.Id, name).Id });
        }

        foreach (var (name, kind) in after.Where(n => !before.Contains(n)).Select(n => (n, "labeled"))
            .Concat(before.Except(after, StringComparer.OrdinalIgnoreCase).Select(n => (n, "unlabeled"))))
        {
            db.AddTimeline(issueId, kind, by.Id, time.Now(), name);
            var issue = db.Issue(issueId);
            events.Emit(db, repo, issue.IsPull ? "pull_request" : "issues", kind, by, (r, json) =>
            {
                json["label"] = new System.Text.Json.Nodes.JsonObject { ["name"] = name };
                json["number"] = issue.Number;
                json[issue.IsPull ? "pull_request" : "issue"] =
                    issue.IsPull ? r.PullSimple(repo, db.FindPull(repo.Id, issue.Number)!) : r.Issue(repo, issue);
            });
        }

        db.Touch(issueId, time.Now());
    }

    private static void SetAssignees(Microsoft.Data.Sqlite.SqliteConnection db, long issueId, IReadOnlyList<string> logins)
    {
        db.Execute("DELETE FROM Assignees WHERE IssueId = @issueId", new { issueId });
        foreach (var user in logins.Select(db.FindUser).OfType<UserRow>().DistinctBy(u => u.Id))
        {
            db.Execute("INSERT INTO Assignees VALUES (@issueId, @user)", new { issueId, user = user.Id });
        }
    }
}
