using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Storage;

internal static class IssueQueries
{
    private const string CommentColumns = "SELECT c.*, i.Number, i.IsPull FROM Comments c JOIN Issues i ON i.Id = c.IssueId ";

    /// <summary>The next number of the sequence that issues and pull requests share.</summary>
    public static int NextNumber(this SqliteConnection db, long repoId) => db.ExecuteScalar<int>(
        "UPDATE Repositories SET LastNumber = LastNumber + 1 WHERE Id = @repoId RETURNING LastNumber", new { repoId });

    public static IssueRow? FindIssue(this SqliteConnection db, long repoId, int number) => db.QuerySingleOrDefault<IssueRow>(
        "SELECT * FROM Issues WHERE RepoId = @repoId AND Number = @number", new { repoId, number });

    public static IssueRow Issue(this SqliteConnection db, long id) => db.QuerySingle<IssueRow>("SELECT * FROM Issues WHERE Id = @id", new { id });

    public static long InsertIssue(this SqliteConnection db, long repoId, bool isPull, string title, string? body, long authorId, long now) =>
        db.ExecuteScalar<long>(
            """
            INSERT INTO Issues (RepoId, Number, IsPull, Title, Body, AuthorId, State, CreatedAt, UpdatedAt)
            VALUES (@repoId, @number, @isPull, @title, @body, @authorId, 'open', @now, @now) RETURNING Id
            """,
            new { repoId, number = db.NextNumber(repoId), isPull, title, body, authorId, now });

    public static void Touch(this SqliteConnection db, long issueId, long now) =>
        db.Execute("UPDATE Issues SET UpdatedAt = @now WHERE Id = @issueId", new { issueId, now });

    public static IReadOnlyList<LabelRow> LabelsOf(this SqliteConnection db, long issueId) => db.Query<LabelRow>(
        "SELECT l.Id, l.Name, l.Color, l.Description FROM Labels l JOIN IssueLabels x ON x.LabelId = l.Id WHERE x.IssueId = @issueId ORDER BY l.Name",
        new { issueId }).AsList();

    public static LabelRow? FindLabel(this SqliteConnection db, long repoId, string name) => db.QuerySingleOrDefault<LabelRow>(
        "SELECT Id, Name, Color, Description FROM Labels WHERE RepoId = @repoId AND Name = @name", new { repoId, name });

    public static LabelRow EnsureLabel(this SqliteConnection db, long repoId, string name)
    {
        db.Execute("INSERT INTO Labels (RepoId, Name, Color) VALUES (@repoId, @name, 'ededed') ON CONFLICT DO NOTHING", new { repoId, name });
        return db.FindLabel(repoId, name)!;
    }

    public static IReadOnlyList<long> AssigneesOf(this SqliteConnection db, long issueId) =>
        db.Query<long>("SELECT UserId FROM Assignees WHERE IssueId = @issueId ORDER BY UserId", new { issueId }).AsList();

    public static CommentRow? FindComment(this SqliteConnection db, long repoId, long id) => db.QuerySingleOrDefault<CommentRow>(
        CommentColumns + "WHERE c.Id = @id AND i.RepoId = @repoId", new { id, repoId });

    public static IReadOnlyList<CommentRow> CommentsOf(this SqliteConnection db, long issueId) =>
        db.Query<CommentRow>(CommentColumns + "WHERE c.IssueId = @issueId ORDER BY c.Id", new { issueId }).AsList();

    public static IReadOnlyList<CommentRow> CommentsOfRepo(this SqliteConnection db, long repoId) =>
        db.Query<CommentRow>(CommentColumns + "WHERE i.RepoId = @repoId ORDER BY c.Id", new { repoId }).AsList();

    public static void AddTimeline(
        this SqliteConnection db, long issueId, string kind, long actorId, long now, string? detail = null, string? commitSha = null) =>
        db.Execute(
            "INSERT INTO TimelineEvents (IssueId, Kind, ActorId, CommitSha, Detail, CreatedAt) VALUES (@issueId, @kind, @actorId, @commitSha, @detail, @now)",
            new { issueId, kind, actorId, commitSha, detail, now });

    public static IReadOnlyList<TimelineRow> TimelineOf(this SqliteConnection db, long issueId) =>
        db.Query<TimelineRow>("SELECT * FROM TimelineEvents WHERE IssueId = @issueId ORDER BY Id", new { issueId }).AsList();
}
