using Dapper;
using Drella.Forge.Git;
using Drella.Forge.Merging;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;
using Drella.Forge.Webhooks;

namespace Drella.Forge.Pulls;

/// <summary>
/// Brings pull requests in line with the refs. The refs are the truth: after a crash between Git and the database, the next read puts it right.
/// </summary>
internal sealed class PullSync(Database database, RepositoryFolder folder, MergeLedger merges, Events events, TimeProvider time)
{
    /// <summary>Compares every open pull request with its branches and records what moved. Cheap when nothing did.</summary>
    public async Task ReconcileAsync(RepoRow repo, UserRow? actor, CancellationToken cancellationToken)
    {
        var git = folder.Open(repo);
        if (database.Read(db => db.OpenPulls(repo.Id)) is not { Count: > 0 } open)
        {
            return;
        }

        var refs = await git.RefsAsync("refs/heads", cancellationToken);
        if (open.All(p => p.PendingSha is null && refs.GetValueOrDefault("refs/heads/" + p.HeadRef) == p.HeadSha
            && refs.GetValueOrDefault("refs/heads/" + p.BaseRef) == p.BaseSha))
        {
            return;
        }

        using var _ = await folder.LockAsync(repo.Id, cancellationToken);
        await ReconcileLockedAsync(repo, actor, cancellationToken);
    }

    public async Task ReconcileLockedAsync(RepoRow repo, UserRow? actor, CancellationToken cancellationToken)
    {
        var git = folder.Open(repo);
        var refs = await git.RefsAsync("refs/heads", cancellationToken);
        foreach (var pull in database.Read(db => db.OpenPulls(repo.Id)))
        {
            await ReconcileOneAsync(repo, git, pull, refs, actor, cancellationToken);
        }
    }

    private async Task ReconcileOneAsync(
        RepoRow repo, GitRepository git, PullRow pull, IReadOnlyDictionary<string, string> refs, UserRow? actor, CancellationToken cancellationToken)
    {
        if (pull.PendingSha is not null && await merges.SettleAsync(repo, git, pull, cancellationToken))
        {
            return;
        }

        var head = refs.GetValueOrDefault("refs/heads/" + pull.HeadRef);
        var baseSha = refs.GetValueOrDefault("refs/heads/" + pull.BaseRef);
        if (head is null || baseSha is null)
        {
            Close(repo, pull, actor);
            return;
        }

        if (head != pull.HeadSha && head != baseSha && await git.IsAncestorAsync(head, baseSha, cancellationToken) is false)
        {
            await git.MoveRefAsync($"refs/pull/{pull.Number}/head", head, pull.HeadSha, cancellationToken);
            var moved = await FollowThreadsAsync(git, pull, head, cancellationToken);
            Synchronise(repo, pull, head, baseSha, moved, actor);
        }
        else if (head == pull.HeadSha && await git.IsAncestorAsync(head, baseSha, cancellationToken))
        {
            // The commits reached the base branch by a direct push: that is a merge too.
            merges.Record(repo, pull, baseSha, actor ?? database.Read(db => db.User(pull.AuthorId)));
        }
        else if (baseSha != pull.BaseSha || head != pull.HeadSha)
        {
            database.Write(db => db.Execute(
                "UPDATE Pulls SET BaseSha = @baseSha, HeadSha = @head WHERE Id = @Id", new { pull.Id, baseSha, head }));
        }
    }

    private void Close(RepoRow repo, PullRow pull, UserRow? actor) => database.Write(db =>
    {
        var by = actor ?? db.User(pull.AuthorId);
        db.Execute(
            "UPDATE Issues SET State = 'closed', ClosedAt = @now, ClosedById = @by, UpdatedAt = @now WHERE Id = @IssueId",
            new { pull.IssueId, now = time.Now(), by = by.Id });
        db.AddTimeline(pull.IssueId, "closed", by.Id, time.Now());
        var closed = db.Pull(pull.Id);
        events.Emit(db, repo, "pull_request", "closed", by, (r, json) => FillPull(r, repo, closed, json));
    });

    private void Synchronise(RepoRow repo, PullRow pull, string head, string baseSha, IReadOnlyList<ThreadRow> threads, UserRow? actor) => database.Write(db =>
    {
        db.Execute("UPDATE Pulls SET HeadSha = @head, BaseSha = @baseSha, Mergeable = NULL, MergeableKey = NULL WHERE Id = @Id", new { pull.Id, head, baseSha });
        db.Touch(pull.IssueId, time.Now());
        foreach (var thread in threads)
        {
            db.Execute(
                "UPDATE Threads SET Line = @Line, StartLine = @StartLine, Position = @Position, CommitSha = @CommitSha, IsOutdated = @IsOutdated WHERE Id = @Id",
                thread);
        }

        var synced = db.Pull(pull.Id);
        events.Emit(db, repo, "pull_request", "synchronize", actor ?? db.User(pull.AuthorId), (r, json) =>
        {
            FillPull(r, repo, synced, json);
            json["before"] = pull.HeadSha;
            json["after"] = head;
        });
    });

    public static void FillPull(Renderer renderer, RepoRow repo, PullRow pull, System.Text.Json.Nodes.JsonObject json)
    {
        var body = renderer.PullSimple(repo, pull);
        body["merged"] = pull.MergedAt is not null;
        body["merged_by"] = renderer.UserOrNull(pull.MergedById);
        json["number"] = pull.Number;
        json["pull_request"] = body;
    }

    private async Task<IReadOnlyList<ThreadRow>> FollowThreadsAsync(GitRepository git, PullRow pull, string head, CancellationToken cancellationToken)
    {
        var threads = database.Read(db => db.ThreadsOf(pull.Id)).Where(t => !t.IsOutdated).ToList();
        var result = new List<ThreadRow>();
        foreach (var group in threads.GroupBy(t => t.Path, StringComparer.Ordinal))
        {
            var changes = LineMap.Parse(await git.LineChangesAsync(pull.HeadSha, head, group.Key, cancellationToken));
            result.AddRange(group.Select(t => t.Side == "LEFT" || t.SubjectType == "file" ? t with { CommitSha = head } : Follow(t, changes, head)));
        }

        return result;
    }

    private static ThreadRow Follow(ThreadRow thread, LineMap changes, string head)
    {
        var line = thread.Line is { } l ? changes.Map(l) : null;
        var start = thread.StartLine is { } s ? changes.Map(s) : null;
        // A comment stays with the lines it was written for; when one of them was rewritten it is outdated and keeps its old commit.
        return line is null || (thread.StartLine is not null && start is null)
            ? thread with { Line = null, StartLine = null, Position = null, IsOutdated = true }
            : thread with { Line = line, StartLine = start, CommitSha = head };
    }
}
