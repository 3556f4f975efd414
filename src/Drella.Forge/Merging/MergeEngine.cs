using Drella.Forge.Git;
using Drella.Forge.Pulls;
using Drella.Forge.Rendering;
using Drella.Forge.Storage;

namespace Drella.Forge.Merging;

internal enum MergeMethod
{
    Merge,
    Squash,
    Rebase,
}

/// <summary>What a client asked of a merge; null texts take GitHub's defaults.</summary>
internal sealed record MergeOrder(MergeMethod Method, string? ExpectedHead, string? Title, string? Message);

/// <summary>Merges pull requests in the bare repository, without a work tree.</summary>
internal sealed class MergeEngine(Database database, RepositoryFolder folder, MergeLedger ledger, PullSync sync, PushObserver observer, TimeProvider time)
{
    /// <summary>Merges and gives the new tip of the base branch; refuses with 405 what is not mergeable and with 409 a head that moved.</summary>
    public async Task<string> MergeAsync(RepoRow repo, int number, UserRow by, MergeOrder order, CancellationToken cancellationToken)
    {
        using var _ = await folder.LockAsync(repo.Id, cancellationToken);
        await sync.ReconcileLockedAsync(repo, by, cancellationToken);
        var pull = database.Read(db => db.FindPull(repo.Id, number)) ?? throw ForgeRefusal.NotFound();
        Check(repo, pull, order);
        var git = folder.Open(repo);
        var sha = await BuildAsync(git, pull, by, order, cancellationToken);

        // From here on the merge is meant; a crash is settled by MergeLedger.SettleAsync.
        ledger.Intend(pull, sha, by);
        var branch = "refs/heads/" + pull.BaseRef;
        if (!await git.MoveRefAsync(branch, sha, pull.BaseSha, CancellationToken.None))
        {
            ledger.Forget(pull);
            throw ForgeRefusal.Conflict("Base branch was modified. Review and try the merge again.");
        }

        ledger.Record(repo, pull, sha, by);
        await observer.AfterPushLockedAsync(repo, by, [new RefCommand(pull.BaseSha, sha, branch)], CancellationToken.None);
        if (repo.DeleteBranchOnMerge)
        {
            await git.MoveRefAsync("refs/heads/" + pull.HeadRef, null, pull.HeadSha, CancellationToken.None);
        }

        return sha;
    }

    /// <summary>Merges the base branch into the head branch; gives the new head.</summary>
    public async Task<string> UpdateBranchAsync(RepoRow repo, int number, UserRow by, string? expectedHead, CancellationToken cancellationToken)
    {
        using var _ = await folder.LockAsync(repo.Id, cancellationToken);
        await sync.ReconcileLockedAsync(repo, by, cancellationToken);
        var pull = database.Read(db => db.FindPull(repo.Id, number)) ?? throw ForgeRefusal.NotFound();
        if (!pull.IsOpen || (expectedHead is not null && expectedHead != pull.HeadSha))
        {
            throw ForgeRefusal.Invalid("PullRequest", "expected_head_sha", "invalid", "expected head sha didn't match current head ref.");
        }

        var git = folder.Open(repo);
        var merge = await git.MergeTreeAsync(pull.HeadSha, pull.BaseSha, cancellationToken);
        if (!merge.IsClean || await git.IsAncestorAsync(pull.BaseSha, pull.HeadSha, cancellationToken))
        {
            throw ForgeRefusal.Invalid("PullRequest", "base", "invalid", merge.IsClean ? "There are no new commits on the base branch." : "merge conflict between base and head");
        }

        var signature = SignatureOf(by);
        var sha = await git.WriteCommitAsync(
            merge.Tree, [pull.HeadSha, pull.BaseSha], $"Merge branch '{pull.BaseRef}' into {pull.HeadRef}\n", signature, signature, cancellationToken);
        if (!await git.MoveRefAsync("refs/heads/" + pull.HeadRef, sha, pull.HeadSha, cancellationToken))
        {
            throw ForgeRefusal.Conflict("Head branch was modified.");
        }

        await observer.AfterPushLockedAsync(repo, by, [new RefCommand(pull.HeadSha, sha, "refs/heads/" + pull.HeadRef)], CancellationToken.None);
        return sha;
    }

    private void Check(RepoRow repo, PullRow pull, MergeOrder order)
    {
        if (pull.MergedAt is not null || !pull.IsOpen)
        {
            throw new ForgeRefusal(405, "Pull Request is not mergeable");
        }

        if (pull.IsDraft)
        {
            throw new ForgeRefusal(405, "Pull Request is still a draft");
        }

        if (order.ExpectedHead is not null && order.ExpectedHead != pull.HeadSha)
        {
            throw ForgeRefusal.Conflict("Head branch was modified. Review and try the merge again.");
        }

        if (database.Read(db => db.LacksApproval(repo, pull)))
        {
            throw new ForgeRefusal(405, "At least one approving review is required by reviewers with write access.");
        }
    }

    private async Task<string> BuildAsync(GitRepository git, PullRow pull, UserRow by, MergeOrder order, CancellationToken cancellationToken)
    {
        if (order.Method == MergeMethod.Rebase)
        {
            return await RebaseAsync(git, pull, by, cancellationToken);
        }

        var merge = await git.MergeTreeAsync(pull.BaseSha, pull.HeadSha, cancellationToken);
        if (!merge.IsClean)
        {
            throw NotMergeable();
        }

        var committer = SignatureOf(by);
        if (order.Method == MergeMethod.Merge)
        {
            var title = order.Title ?? $"Merge pull request #{pull.Number} from {pull.HeadRef}";
            return await git.WriteCommitAsync(
                merge.Tree, [pull.BaseSha, pull.HeadSha], Text(title, order.Message ?? pull.Title), committer, committer, cancellationToken);
        }

        var author = database.Read(db => db.User(pull.AuthorId));
        return await git.WriteCommitAsync(
            merge.Tree,
            [pull.BaseSha],
            Text(order.Title ?? $"{pull.Title} (#{pull.Number})", order.Message ?? await SquashTextAsync(git, pull, cancellationToken)),
            SignatureOf(author),
            committer,
            cancellationToken);
    }

    // merge-tree of this Git knows no --merge-base, so the wanted common parent is made: a commit of the parent's tree under both sides.
    private async Task<string> RebaseAsync(GitRepository git, PullRow pull, UserRow by, CancellationToken cancellationToken)
    {
        var signature = SignatureOf(by);
        var tip = pull.BaseSha;
        var commits = await git.LogAsync(
            new LogQuery { Range = ["--no-merges", pull.HeadSha, "^" + pull.BaseSha], Limit = 250, OldestFirst = true }, cancellationToken);
        foreach (var commit in commits)
        {
            var parent = await git.WriteCommitAsync((await git.ReadCommitAsync(commit.Parents[0], cancellationToken)).Tree, [], "base\n", signature, signature, cancellationToken);
            var ours = await git.WriteCommitAsync((await git.ReadCommitAsync(tip, cancellationToken)).Tree, [parent], "ours\n", signature, signature, cancellationToken);
            var theirs = await git.WriteCommitAsync(commit.Tree, [parent], "theirs\n", signature, signature, cancellationToken);
            var merge = await git.MergeTreeAsync(ours, theirs, cancellationToken);
            if (!merge.IsClean)
            {
                throw NotMergeable();
            }

            tip = await git.WriteCommitAsync(merge.Tree, [tip], commit.Message + "\n", commit.Author, signature, cancellationToken);
        }

        return tip;
    }

    private static async Task<string> SquashTextAsync(GitRepository git, PullRow pull, CancellationToken cancellationToken)
    {
        var commits = await git.LogAsync(new LogQuery { Range = [pull.HeadSha, "^" + pull.BaseSha], Limit = 100, OldestFirst = true }, cancellationToken);
        return commits.Count == 1 ? string.Join('\n', commits[0].Message.Split('\n').Skip(2)) : string.Join("\n\n", commits.Select(c => "* " + c.Message));
    }

    private GitSignature SignatureOf(UserRow user) => new(user.Name ?? user.Login, user.CommitEmail, Times.Iso(time.Now()));

    private static string Text(string title, string message) => message.Length > 0 ? $"{title}\n\n{message}\n" : title + "\n";

    private static ForgeRefusal NotMergeable() => new(405, "Pull Request is not mergeable");
}
