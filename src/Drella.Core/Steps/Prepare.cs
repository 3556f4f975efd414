using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Core.Steps;

/// <summary>Makes sure that the repository is one we may change and fetches what the work begins on.</summary>
internal sealed class Prepare(IForge forge, IQuarantine quarantine, FactorySettings settings) : IStep
{
    public StepName Name => StepName.Prepare;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var repo = job.Request.RepoName;
        if (!settings.Allows(repo))
        {
            return new StepOutcome.Rejected(JobConclusion.Failed, $"'{repo}' is not among the repositories that this factory may change; add it to 'repositories' in drella.yaml and retry");
        }

        try
        {
            var access = await forge.GitAccessAsync(repo, cancellationToken);
            var commit = await quarantine.FetchAsync(repo, access, job.Request.Base, cancellationToken);
            return new StepOutcome.Succeeded { Entries = [new JobEntry.BaseResolved(commit)] };
        }
        catch (DriverException error) when (error.Failure is DriverFailure.NotFoundOrNoAccess or DriverFailure.Forbidden)
        {
            return new StepOutcome.Rejected(
                JobConclusion.Failed, $"the repository '{repo}' with the branch '{job.Request.Base}' does not exist, or the factory's account may not read it; correct the spec or grant access, then retry");
        }
    }
}
