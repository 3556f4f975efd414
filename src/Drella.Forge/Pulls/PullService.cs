using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Merging;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Pulls;

/// <summary>What a pull request's page shows beside its row; a null mergeability is still being computed.</summary>
internal sealed record PullFigures(int Commits, int Additions, int Deletions, int ChangedFiles, bool? Mergeable);

internal sealed record NewPull(string Title, string? Body, string Head, string Base, bool IsDraft, bool MaintainerCanModify);

/// <summary>Opens, changes and reads pull requests.</summary>
internal sealed class PullService(
    Database database, RepositoryFolder folder, PullSync sync, MergeabilityLoop mergeability, Events events, TimeProvider time)
{
    public async Task<PullRow> GetAsync(RepoRow repo, int number, CancellationToken cancellationToken)
    {
        await sync.ReconcileAsync(repo, null, cancellationToken);
        return database.Read(db => db.FindPull(repo.Id, number)) ?? throw ForgeRefusal.NotFound();
    }

    /// <summary>The commit where the pull request's own work starts.</summary>
    public async Task<string> ForkPointAsync(RepoRow repo, PullRow pull, CancellationToken cancellationToken) =>
        await folder.Open(repo).MergeBaseAsync(pull.BaseSha, pull.HeadSha, cancellationToken) ?? pull.BaseSha;

    public async Task<PullFigures> FiguresAsync(RepoRow repo, PullRow pull, CancellationToken cancellationToken)
    {
        var git = folder.Open(repo);
        var start = await ForkPointAsync(repo, pull, cancellationToken);
        var files = await git.DiffAsync(start, pull.HeadSha, withPatch: false, cancellationToken);
        var commits = await git.CountAsync([pull.HeadSha, "^" + start], cancellationToken);
        bool? mergeable = pull.MergeableKey == MergeabilityLoop.Key(pull) ? pull.Mergeable : null;
        if (pull.IsOpen && mergeable is null)
        {
            mergeability.Ask(pull.Id);
        }

        return new PullFigures(commits, files.Sum(f => f.Additions), files.Sum(f => f.Deletions), files.Count, mergeable);
    }

    public async Task<PullRow> OpenAsync(RepoRow repo, UserRow author, NewPull order, CancellationToken cancellationToken)
    {
        var git = folder.Open(repo);
        var branch = order.Head.StartsWith(repo.Owner + ":", StringComparison.OrdinalIgnoreCase) ? order.Head[(repo.Owner.Length + 1)..] : order.Head;
        var head = await BranchAsync(git, branch, "head", cancellationToken);
        var baseSha = await BranchAsync(git, order.Base, "base", cancellationToken);
        if (branch == order.Base || await git.IsAncestorAsync(head, baseSha, cancellationToken))
        {
            throw ForgeRefusal.Invalid("PullRequest", "base", "custom", $"No commits between {order.Base} and {branch}");
        }

        using var _ = await folder.LockAsync(repo.Id, cancellationToken);
        var pull = database.Write(db =>
        {
            if (db.OpenPulls(repo.Id).Any(p => p.HeadRef == branch && p.BaseRef == order.Base))
            {
                throw ForgeRefusal.Invalid("PullRequest", "head", "custom", $"A pull request already exists for {repo.Owner}:{branch}.");
            }

            var issue = db.InsertIssue(repo.Id, isPull: true, order.Title, order.Body, author.Id, time.Now());
            var id = db.ExecuteScalar<long>(
                """
                INSERT INTO Pulls (IssueId, BaseRef, BaseSha, HeadRef, HeadSha, IsDraft, MaintainerCanModify)
                VALUES (@issue, @baseRef, @baseSha, @branch, @head, @IsDraft, @MaintainerCanModify) RETURNING Id
                """,
                new { issue, baseRef = order.Base, baseSha, branch, head, order.IsDraft, order.MaintainerCanModify });
            var row = db.Pull(id);
            Announce(db, repo, row, "opened", author);
            return row;
        });
        await git.MoveRefAsync($"refs/pull/{pull.Number}/head", head, GitNames.ZeroId, cancellationToken);
        return pull;
    }

    public async Task<PullRow> UpdateAsync(
        RepoRow repo, int number, UserRow by, string? title, (bool Set, string? Text) body, string? state, string? newBase, CancellationToken cancellationToken)
    {
        var pull = await GetAsync(repo, number, cancellationToken);
        var baseSha = newBase is null ? null : await BranchAsync(folder.Open(repo), newBase, "base", cancellationToken);
        if (state == "open" && !pull.IsOpen)
        {
            await CheckReopenAsync(repo, pull, cancellationToken);
        }

        return database.Write(db =>
        {
            var now = time.Now();
            if (title is not null || body.Set || newBase is not null)
            {
                db.Execute(
                    "UPDATE Issues SET Title = coalesce(@title, Title), Body = CASE WHEN @set THEN @text ELSE Body END, UpdatedAt = @now WHERE Id = @IssueId",
                    new { pull.IssueId, title, set = body.Set, text = body.Text, now });
                db.Execute(
                    "UPDATE Pulls SET BaseRef = coalesce(@newBase, BaseRef), BaseSha = coalesce(@baseSha, BaseSha) WHERE Id = @Id",
                    new { pull.Id, newBase, baseSha });
                Announce(db, repo, db.Pull(pull.Id), "edited", by);
            }

            if (state is not null && state != pull.State)
            {
                SetState(db, repo, pull, state, by);
            }

            return db.Pull(pull.Id);
        });
    }

    public PullRow SetDraft(RepoRow repo, PullRow pull, bool isDraft, UserRow by) => database.Write(db =>
    {
        if (pull.IsDraft != isDraft)
        {
            db.Execute("UPDATE Pulls SET IsDraft = @isDraft WHERE Id = @Id", new { pull.Id, isDraft });
            db.Touch(pull.IssueId, time.Now());
            Announce(db, repo, db.Pull(pull.Id), isDraft ? "converted_to_draft" : "ready_for_review", by);
        }

        return db.Pull(pull.Id);
    });

    public PullRow SetReviewers(RepoRow repo, PullRow pull, IReadOnlyList<string> logins, bool add, UserRow by) => database.Write(db =>
    {
        foreach (var login in logins)
        {
            var user = db.FindUser(login) ?? throw new ForgeRefusal(422, "Reviews may only be requested from collaborators.");
            if (add && user.Id == pull.AuthorId)
            {
                throw new ForgeRefusal(422, "Review cannot be requested from pull request author.");
            }

            db.Execute(
                add ? "INSERT INTO ReviewRequests VALUES (@id, @user) ON CONFLICT DO NOTHING" : "DELETE FROM ReviewRequests WHERE PullId = @id AND UserId = @user",
                new { id = pull.Id, user = user.Id });
        }

        db.Touch(pull.IssueId, time.Now());
        Announce(db, repo, db.Pull(pull.Id), add ? "review_requested" : "review_request_removed", by);
        return db.Pull(pull.Id);
    });

    private void SetState(Microsoft.Data.Sqlite.SqliteConnection db, RepoRow repo, PullRow pull, string state, UserRow by)
    {
        var now = time.Now();
        db.Execute(
            "UPDATE Issues SET State = @state, ClosedAt = @closed, ClosedById = @by, UpdatedAt = @now WHERE Id = @IssueId",
            new { pull.IssueId, state, closed = state == "closed" ? now : (long?)null, by = state == "closed" ? by.Id : (long?)null, now });
        db.AddTimeline(pull.IssueId, state == "closed" ? "closed" : "reopened", by.Id, now);
        Announce(db, repo, db.Pull(pull.Id), state == "closed" ? "closed" : "reopened", by);
    }

    private async Task CheckReopenAsync(RepoRow repo, PullRow pull, CancellationToken cancellationToken)
    {
        var git = folder.Open(repo);
        if (pull.MergedAt is not null || await git.RefAsync("refs/heads/" + pull.HeadRef, cancellationToken) is null
            || database.Read(db => db.OpenPulls(repo.Id)).Any(p => p.HeadRef == pull.HeadRef && p.BaseRef == pull.BaseRef))
        {
            throw ForgeRefusal.Invalid("PullRequest", "state", "invalid", "state cannot be changed. The pull request cannot be reopened.");
        }
    }

    private void Announce(Microsoft.Data.Sqlite.SqliteConnection db, RepoRow repo, PullRow pull, string action, UserRow by) =>
        events.Emit(db, repo, "pull_request", action, by, (r, json) => PullSync.FillPull(r, repo, pull, json));

    private static async Task<string> BranchAsync(GitRepository git, string branch, string field, CancellationToken cancellationToken) =>
        (GitNames.IsRefPart(branch) ? await git.RefAsync("refs/heads/" + branch, cancellationToken) : null)
        ?? throw ForgeRefusal.Invalid("PullRequest", field);
}
