using Dapper;
using Microsoft.Data.Sqlite;

namespace Drella.Forge.Storage;

internal static class CheckQueries
{
    public static IReadOnlyList<StatusRow> StatusesOf(this SqliteConnection db, long repoId, string sha) =>
        db.Query<StatusRow>("SELECT * FROM Statuses WHERE RepoId = @repoId AND Sha = @sha ORDER BY Id DESC", new { repoId, sha }).AsList();

    public static IReadOnlyList<StatusRow> LatestStatuses(this SqliteConnection db, long repoId, string sha) =>
        [.. db.StatusesOf(repoId, sha).GroupBy(s => s.Context, StringComparer.Ordinal).Select(g => g.First())];

    public static IReadOnlyList<CheckRunRow> CheckRunsOf(this SqliteConnection db, long repoId, string sha) =>
        db.Query<CheckRunRow>("SELECT * FROM CheckRuns WHERE RepoId = @repoId AND HeadSha = @sha ORDER BY Id DESC", new { repoId, sha }).AsList();

    public static CheckRunRow? FindCheckRun(this SqliteConnection db, long repoId, long id) =>
        db.QuerySingleOrDefault<CheckRunRow>("SELECT * FROM CheckRuns WHERE RepoId = @repoId AND Id = @id", new { repoId, id });

    /// <summary>GitHub's rule: failure if any latest status failed, pending if none or any is pending, else success.</summary>
    public static string CombineStatuses(IReadOnlyList<StatusRow> latest) =>
        latest.Any(s => s.State is "failure" or "error") ? "failure"
        : latest.Count == 0 || latest.Any(s => s.State == "pending") ? "pending"
        : "success";

    /// <summary>Statuses and check runs together, for the state of a pull request.</summary>
    public static string CombinedState(this SqliteConnection db, long repoId, string sha)
    {
        var statuses = db.LatestStatuses(repoId, sha);
        var runs = db.CheckRunsOf(repoId, sha).GroupBy(r => r.Name, StringComparer.Ordinal).Select(g => g.First()).ToList();
        if (runs.Any(r => r.Conclusion is "failure" or "timed_out" or "cancelled" or "action_required"))
        {
            return "failure";
        }

        var combined = CombineStatuses(statuses);
        return combined == "pending" && statuses.Count == 0 && runs.Count > 0 && runs.All(r => r.Status == "completed") ? "success" : combined;
    }
}
