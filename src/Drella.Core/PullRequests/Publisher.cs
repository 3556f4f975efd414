using Drella.Core.Forges;
using Drella.Core.Jobs;

namespace Drella.Core.PullRequests;

/// <summary>What came of publishing.</summary>
internal abstract record PublishResult
{
    private PublishResult()
    {
    }

    public sealed record Published(PullRequestLink Link, string Head) : PublishResult;

    /// <summary>There is no commit to publish.</summary>
    public sealed record Nothing : PublishResult;

    /// <summary>Somebody else pushed to the branch; their commits stay.</summary>
    public sealed record HumanPushed(string Head) : PublishResult;
}

/// <summary>
/// Brings what was harvested to the forge: commits written by the host, pushed by object id, and one pull request for the branch.
/// Used by the Publish step and, while the agent works, by its tools. Idempotent: the same job gives the same objects and the same branch.
/// </summary>
internal sealed class Publisher(IForge forge, IQuarantine quarantine, FactorySettings settings)
{
    public async Task<PublishResult> PublishAsync(LiveJob live, bool isFinal, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var repo = job.Request.RepoName;
        var branch = job.PullRequest?.Branch ?? BranchName.For(settings.BranchPrefix, job);
        var remote = await forge.BranchHeadAsync(repo, branch, cancellationToken);
        var expected = remote is null ? null : job.Published;
        if (remote is not null && remote != job.Published)
        {
            if (!await IsOursAsync(job, remote, cancellationToken))
            {
                return new PublishResult.HumanPushed(remote);
            }

            expected = remote;
        }

        if (job.GuestHead is null || (job.Published is null && job.GuestHead == job.BaseCommit))
        {
            return new PublishResult.Nothing();
        }

        var head = await quarantine.RewriteAsync(repo, Order(job, isFinal), cancellationToken);
        try
        {
            var access = await forge.GitAccessAsync(repo, cancellationToken);
            await quarantine.PushAsync(repo, access, head, branch, expected, cancellationToken);
        }
        catch (DriverException error) when (error.Failure == DriverFailure.Conflict)
        {
            return new PublishResult.HumanPushed(await forge.BranchHeadAsync(repo, branch, cancellationToken) ?? head);
        }

        if (head != job.Published || job.GuestBase != job.GuestHead)
        {
            await live.RecordAsync(new JobEntry.HeadPublished(head, job.GuestHead), cancellationToken);
        }

        var link = live.Job.PullRequest ?? await OpenAsync(live, repo, branch, cancellationToken);
        return new PublishResult.Published(link, head);
    }

    /// <summary>Makes title and body say what is so.</summary>
    public async Task DescribeAsync(Job job, CancellationToken cancellationToken)
    {
        if (job.PullRequest is { } link)
        {
            await forge.UpdatePullRequestAsync(
                job.Request.RepoName, link.Number, PullRequestText.Title(job), PullRequestText.Body(job, settings), cancellationToken);
        }
    }

    private async Task<PullRequestLink> OpenAsync(LiveJob live, RepoName repo, string branch, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var found = await forge.FindPullRequestAsync(repo, branch, cancellationToken);
        if (found is null or { State: PullRequestState.Closed })
        {
            try
            {
                found = await forge.OpenPullRequestAsync(
                    repo,
                    new NewPullRequest(PullRequestText.Title(job), PullRequestText.Body(job, settings), job.Request.Base, branch, Draft: true, new EffectKey($"{job.Id}/pr")),
                    cancellationToken);
            }
            catch (DriverException error) when (error.Failure == DriverFailure.Conflict)
            {
                // Ours after all: the answer to an earlier try was lost on the way.
                found = await forge.FindPullRequestAsync(repo, branch, cancellationToken) ?? throw new DriverException(true, error.Message, error);
            }
        }

        var link = new PullRequestLink(found.Number, found.Url, branch);
        await live.RecordAsync(new JobEntry.PullRequestOpened(link.Number, link.Url, branch), cancellationToken);
        return link;
    }

    // A push whose record was lost in a crash is ours: writing the same commits again gives the same object.
    private async Task<bool> IsOursAsync(Job job, string remote, CancellationToken cancellationToken) =>
        job.GuestHead is not null
        && (await quarantine.RewriteAsync(job.Request.RepoName, Order(job, isFinal: false), cancellationToken) == remote
            || await quarantine.RewriteAsync(job.Request.RepoName, Order(job, isFinal: true), cancellationToken) == remote);

    private RewriteOrder Order(Job job, bool isFinal) => new(
        job.GuestBase!,
        job.GuestHead!,
        job.Published ?? job.BaseCommit!,
        settings.Identity,
        [$"Drella-Job: {job.Id}", $"Drella-Spec: {job.Request.Source.Key}"],
        isFinal ? SpecMove(job) : null);

    /// <summary>The implementation moves its own spec to <c>done/</c> when both live in one repository.</summary>
    internal static FileMove? SpecMove(Job job) =>
        job.Request.Source is { Kind: SourceKind.Spec, Path: { } path } source
        && RepoName.Parse(source.Repo) == job.Request.RepoName
        && Intake.TasksLayout.DonePath(path) is { } done
            ? new FileMove(path, done, $"Move the spec {source.Name} to done")
            : null;
}
