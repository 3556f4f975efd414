using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Core.Steps;

/// <summary>Pushes what was harvested, has the pull request say what is so, and makes it ready when nothing speaks against it.</summary>
internal sealed class Publish(Publisher publisher, IForge forge) : IStep
{
    public StepName Name => StepName.Publish;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var result = await publisher.PublishAsync(live, isFinal: true, cancellationToken);
        switch (result)
        {
            case PublishResult.HumanPushed pushed:
                return new StepOutcome.Revise(RoundCause.HumanPush, $"A person pushed to the branch of the pull request; it stands at {pushed.Head} now.");
            case PublishResult.Nothing when live.Job.PullRequest is null:
                return new StepOutcome.Rejected(JobConclusion.NeedsHuman, $"the agent made no change; 'drella job log {live.Job.Id}' shows what it said");
        }

        await publisher.DescribeAsync(live.Job, cancellationToken);
        var job = live.Job;
        var link = job.PullRequest!;
        await forge.SetStatusAsync(
            job.Request.RepoName, job.Published!, new StatusReport("drella", CheckOutcome.Passed, $"round {job.Round} of {job.Id}", null), cancellationToken);
        if (job.IsReady)
        {
            return new StepOutcome.Succeeded();
        }

        await forge.SetDraftAsync(job.Request.RepoName, link.Number, draft: false, cancellationToken);
        return new StepOutcome.Succeeded { Entries = [new JobEntry.ReadyMarked()] };
    }
}
