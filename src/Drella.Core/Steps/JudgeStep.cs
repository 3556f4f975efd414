using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Roles;

namespace Drella.Core.Steps;

/// <summary>Lets the next judging role look at the harvested commit, with a fresh conversation, and give its verdict through the tool.</summary>
internal sealed class JudgeStep(AgentShift shift, IQuarantine quarantine) : IStep
{
    private const int MaxDiff = 200_000;

    public StepName Name => StepName.Judge;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var role = job.CurrentRole;
        var diff = await quarantine.DiffAsync(job.Request.RepoName, job.BaseCommit!, job.GuestHead!, MaxDiff, cancellationToken);
        var ended = await shift.RunAsync(live, $"{role.Name}#{job.Round}", Prompts.ForJudge(job, role, diff), cancellationToken);
        var outcome = RunOutcome.Of(live.Job, ended);
        if (outcome is not StepOutcome.Succeeded)
        {
            return outcome;
        }

        var verdict = live.Job.Verdicts.FirstOrDefault(given => given.Role == role.Name);
        StepOutcome judged = verdict switch
        {
            null => new StepOutcome.Broken($"the role '{role.Name}' ended without a verdict", IsTransient: true, null),
            { Passed: true } => new StepOutcome.Succeeded(),
            _ => new StepOutcome.Revise(RoundCause.Findings, Prompts.Findings(verdict)),
        };
        return judged with { Entries = outcome.Entries };
    }
}
