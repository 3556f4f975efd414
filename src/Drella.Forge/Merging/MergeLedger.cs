using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Issues;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Merging;

/// <summary>
/// The database half of a merge. Intent first, then the ref by compare-and-swap, then the record; an intent without a record is settled by
/// looking whether the commit is on the base branch.
/// </summary>
internal sealed class MergeLedger(Database database, ClosingWords closing, Events events, TimeProvider time)
{
    public void Intend(PullRow pull, string sha, UserRow by) => database.Write(db => db.Execute(
        "UPDATE Pulls SET PendingSha = @sha, PendingById = @by WHERE Id = @Id", new { pull.Id, sha, by = by.Id }));

    public void Forget(PullRow pull) => database.Write(db => db.Execute(
        "UPDATE Pulls SET PendingSha = NULL, PendingById = NULL WHERE Id = @Id", new { pull.Id }));

    /// <summary>True when the intended merge had happened and is now recorded; false when it had not and the intent is dropped.</summary>
    public async Task<bool> SettleAsync(RepoRow repo, GitRepository git, PullRow pull, CancellationToken cancellationToken)
    {
        var tip = await git.RefAsync("refs/heads/" + pull.BaseRef, cancellationToken);
        if (tip is not null && await git.IsAncestorAsync(pull.PendingSha!, tip, cancellationToken))
        {
            Record(repo, pull, pull.PendingSha!, database.Read(db => db.User(pull.PendingById ?? pull.AuthorId)));
            return true;
        }

        Forget(pull);
        return false;
    }

    public void Record(RepoRow repo, PullRow pull, string sha, UserRow by) => database.Write(db =>
    {
        var now = time.Now();
        db.Execute(
            "UPDATE Pulls SET MergedAt = @now, MergedById = @by, MergeSha = @sha, PendingSha = NULL, PendingById = NULL WHERE Id = @Id",
            new { pull.Id, now, by = by.Id, sha });
        db.Execute(
            "UPDATE Issues SET State = 'closed', ClosedAt = @now, ClosedById = @by, UpdatedAt = @now WHERE Id = @IssueId", new { pull.IssueId, now, by = by.Id });
        db.AddTimeline(pull.IssueId, "merged", by.Id, now, null, sha);
        db.AddTimeline(pull.IssueId, "closed", by.Id, now);
        var merged = db.Pull(pull.Id);
        events.Emit(db, repo, "pull_request", "closed", by, (r, json) => PullSync.FillPull(r, repo, merged, json));
        if (pull.BaseRef == repo.DefaultBranch)
        {
            closing.Apply(db, repo, by, pull.Body, sha);
        }
    });
}
