using Drella.Core.Forges;
using Drella.Core.Intake;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Core.Steps;

/// <summary>Tells the source how it ended: closes what is to be closed, moves the spec, and leaves a true last word.</summary>
internal sealed class Settle(IForge forge, StatusReporter status, FactorySettings settings) : IStep
{
    public StepName Name => StepName.Settle;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        if (live.Job.Conclusion == JobConclusion.Cancelled)
        {
            await CloseOurPullRequestAsync(live, cancellationToken);
        }

        var job = live.Job;
        if (job.Conclusion == JobConclusion.Merged)
        {
            await FinishSourceAsync(job, cancellationToken);
            await DeleteBranchAsync(job, cancellationToken);
        }

        await status.ReportAsync(live, cancellationToken);
        return new StepOutcome.Succeeded();
    }

    private async Task CloseOurPullRequestAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var repo = job.Request.RepoName;
        var branch = BranchName.For(settings.BranchPrefix, job);

        // None on record may be one that was opened just before the job was cut: the branch is the job's, and so is what stands on it.
        var seen = job.PullRequest is { } link
            ? await forge.PullRequestAsync(repo, link.Number, cancellationToken)
            : await forge.FindPullRequestAsync(repo, branch, cancellationToken);
        if (seen?.State is not (PullRequestState.Draft or PullRequestState.Open))
        {
            return;
        }

        if (job.PullRequest is null)
        {
            await live.RecordAsync(new JobEntry.PullRequestOpened(seen.Number, seen.Url, branch), cancellationToken);
        }

        await CommentOnceAsync(job, repo, seen.Number, $"Cancelled: {PullRequestText.Clean(job.Reason ?? "")}", cancellationToken);
        await forge.ClosePullRequestAsync(repo, seen.Number, cancellationToken);
    }

    private async Task FinishSourceAsync(Job job, CancellationToken cancellationToken)
    {
        var source = job.Request.Source;
        var repo = RepoName.Parse(source.Repo);
        if (source is { Kind: SourceKind.Issue, Thread: { } number })
        {
            await CommentOnceAsync(job, repo, number, $"Done: {job.PullRequest?.Url}", cancellationToken);
            await forge.CloseIssueAsync(repo, number, completed: true, cancellationToken);
        }
        else if (source.Path is { } path && TasksLayout.DonePath(path) is { } done)
        {
            var branch = (await forge.RepoAsync(repo, cancellationToken)).DefaultBranch;
            await forge.MoveFileAsync(repo, branch, path, done, $"Move the spec {source.Name} to done\n\nDone by {job.PullRequest?.Url}", cancellationToken);
        }
    }

    private async Task DeleteBranchAsync(Job job, CancellationToken cancellationToken)
    {
        if (job is { PullRequest: { } link, Published: { } head })
        {
            try
            {
                await forge.DeleteBranchAsync(job.Request.RepoName, link.Branch, head, cancellationToken);
            }
            catch (DriverException error) when (error.Failure == DriverFailure.Conflict)
            {
                // Somebody pushed after the merge: their commits stay where they are.
            }
        }
    }

    private async Task CommentOnceAsync(Job job, RepoName repo, int number, string text, CancellationToken cancellationToken)
    {
        var key = new EffectKey($"{job.Id}/end/{job.Conclusion}");
        if (await forge.FindCommentAsync(repo, number, key, cancellationToken) is null)
        {
            await forge.CommentAsync(repo, number, text, key, cancellationToken);
        }
    }
}
