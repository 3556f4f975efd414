using Drella.Core.Agents;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Roles;

namespace Drella.Core.Steps;

/// <summary>Lets the producing role's agent work until it stops, pauses or is stopped.</summary>
internal sealed class Work(AgentShift shift, StatusReporter status) : IStep
{
    public StepName Name => StepName.Work;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        await status.ReportAsync(live, cancellationToken);
        var ended = await shift.RunAsync(live, live.Job.Producer.Name, Prompts.ForProducer(live.Job), cancellationToken);
        return RunOutcome.Of(live.Job, ended);
    }
}

/// <summary>What the end of an agent's run means for its step.</summary>
internal static class RunOutcome
{
    public static StepOutcome Of(Job job, JobEntry.AgentEnded ended)
    {
        StepOutcome outcome = ended.Outcome switch
        {
            _ when job.HitBudget => new StepOutcome.Paused(
                WaitKind.Budget,
                $"the budget of {PullRequestText.Money(job.BudgetLimit)} does not hold the next model call ({PullRequestText.Money(job.Spent)} spent); 'drella job continue {job.Id} --budget AMOUNT' raises it"),
            AgentOutcome.Completed when job is { Question: { } question, Answer: null } => new StepOutcome.Paused(WaitKind.Answer, $"the agent asks: {question.Question}"),
            AgentOutcome.Completed => new StepOutcome.Succeeded(),
            AgentOutcome.RateLimited or AgentOutcome.ModelError or AgentOutcome.Crashed or AgentOutcome.Killed or AgentOutcome.NoResult =>
                new StepOutcome.Broken($"the agent ended with {ended.Outcome}: {ended.Detail}", IsTransient: true, null),
            AgentOutcome.TimedOut => new StepOutcome.Broken($"the agent was stopped: {ended.Detail}", IsTransient: true, null),
            AgentOutcome.Interrupted => new StepOutcome.Broken("the agent was interrupted", IsTransient: true, null),
            AgentOutcome.AuthFailed => new StepOutcome.Rejected(JobConclusion.NeedsHuman, $"the model provider refused us: {Short(ended.Text)} ({ended.Detail}); 'drella doctor' checks the credential, then 'drella job continue {job.Id}'"),
            AgentOutcome.BudgetExhausted => new StepOutcome.Paused(WaitKind.Budget, $"the model provider says that the account is exhausted: {ended.Detail}"),
            _ => new StepOutcome.Rejected(JobConclusion.NeedsHuman, $"the agent stopped with {ended.Outcome}: {ended.Detail}; look with 'drella job log {job.Id}', then 'drella job continue {job.Id}' or 'drella job retry {job.Id}'"),
        };
        return outcome with { Entries = [ended] };
    }

    private static string Short(string text) => text.Length <= 600 ? text : text[..600] + "…";
}
