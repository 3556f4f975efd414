using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Storage;

internal static class PullQueries
{
    private const string Columns = """
        SELECT p.*, i.RepoId, i.Number, i.Title, i.Body, i.AuthorId, i.State, i.ClosedAt, i.CreatedAt, i.UpdatedAt
        FROM Pulls p JOIN Issues i ON i.Id = p.IssueId 
        """;

    public static PullRow? FindPull(this SqliteConnection db, long repoId, int number) =>
        db.QuerySingleOrDefault<PullRow>(Columns + " WHERE i.RepoId = @repoId AND i.Number = @number", new { repoId, number });

    public static PullRow? FindPullById(this SqliteConnection db, long id) =>
        db.QuerySingleOrDefault<PullRow>(Columns + " WHERE p.Id = @id", new { id });

    public static PullRow Pull(this SqliteConnection db, long id) => db.QuerySingle<PullRow>(Columns + " WHERE p.Id = @id", new { id });

    public static IReadOnlyList<PullRow> Pulls(this SqliteConnection db, long repoId) =>
        db.Query<PullRow>(Columns + " WHERE i.RepoId = @repoId ORDER BY i.Number", new { repoId }).AsList();

    public static IReadOnlyList<PullRow> OpenPulls(this SqliteConnection db, long repoId) =>
        db.Query<PullRow>(Columns + " WHERE i.RepoId = @repoId AND i.State = 'open' ORDER BY i.Number", new { repoId }).AsList();

    public static IReadOnlyList<PullRow> PullsWithHead(this SqliteConnection db, long repoId, string sha) =>
        db.Query<PullRow>(Columns + " WHERE i.RepoId = @repoId AND p.HeadSha = @sha ORDER BY i.Number", new { repoId, sha }).AsList();

    public static IReadOnlyList<long> RequestedReviewers(this SqliteConnection db, long pullId) =>
        db.Query<long>("SELECT UserId FROM ReviewRequests WHERE PullId = @pullId ORDER BY UserId", new { pullId }).AsList();

    public static ReviewRow? FindReview(this SqliteConnection db, long pullId, long id) => db.QuerySingleOrDefault<ReviewRow>(
        "SELECT * FROM Reviews WHERE Id = @id AND PullId = @pullId", new { id, pullId });

    public static IReadOnlyList<ReviewRow> ReviewsOf(this SqliteConnection db, long pullId) =>
        db.Query<ReviewRow>("SELECT * FROM Reviews WHERE PullId = @pullId ORDER BY Id", new { pullId }).AsList();

    public static ThreadRow Thread(this SqliteConnection db, long id) => db.QuerySingle<ThreadRow>("SELECT * FROM Threads WHERE Id = @id", new { id });

    public static ThreadRow? FindThread(this SqliteConnection db, long id) =>
        db.QuerySingleOrDefault<ThreadRow>("SELECT * FROM Threads WHERE Id = @id", new { id });

    public static IReadOnlyList<ThreadRow> ThreadsOf(this SqliteConnection db, long pullId) =>
        db.Query<ThreadRow>("SELECT * FROM Threads WHERE PullId = @pullId ORDER BY Id", new { pullId }).AsList();

    public static ReviewCommentRow? FindReviewComment(this SqliteConnection db, long repoId, long id) => db.QuerySingleOrDefault<ReviewCommentRow>(
        """
        SELECT c.* FROM ReviewComments c JOIN Pulls p ON p.Id = c.PullId JOIN Issues i ON i.Id = p.IssueId
        WHERE c.Id = @id AND i.RepoId = @repoId
        """,
        new { id, repoId });

    public static IReadOnlyList<ReviewCommentRow> ReviewCommentsOf(this SqliteConnection db, long pullId) =>
        db.Query<ReviewCommentRow>("SELECT * FROM ReviewComments WHERE PullId = @pullId ORDER BY Id", new { pullId }).AsList();

    public static IReadOnlyList<ReviewCommentRow> ReviewCommentsOfRepo(this SqliteConnection db, long repoId) => db.Query<ReviewCommentRow>(
        """
        SELECT c.* FROM ReviewComments c JOIN Pulls p ON p.Id = c.PullId JOIN Issues i ON i.Id = p.IssueId WHERE i.RepoId = @repoId ORDER BY c.Id
        """,
        new { repoId }).AsList();

    /// <summary>True when the base branch asks for approvals that the latest verdict of each reviewer does not give, or one asks for changes.</summary>
    public static bool LacksApproval(this SqliteConnection db, RepoRow repo, PullRow pull)
    {
        var required = db.Protection(repo.Id, pull.BaseRef)?.RequiredApprovals ?? 0;
        if (required == 0)
        {
            return false;
        }

        var verdicts = db.ReviewsOf(pull.Id).Where(r => r.State is "APPROVED" or "CHANGES_REQUESTED" && r.AuthorId != pull.AuthorId)
            .GroupBy(r => r.AuthorId).Select(g => g.Last().State).ToList();
        return verdicts.Contains("CHANGES_REQUESTED") || verdicts.Count(v => v == "APPROVED") < required;
    }
}
