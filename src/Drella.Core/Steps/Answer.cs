using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Reviews;

namespace Drella.Core.Steps;

/// <summary>Answers every remark that the round took up, and resolves the threads of those that were fixed.</summary>
internal sealed class Answer(IForge forge) : IStep
{
    public StepName Name => StepName.Answer;

    public async Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        foreach (var feedback in live.Job.TakenFeedback.ToList())
        {
            await AnswerAsync(live, feedback, cancellationToken);
        }

        return new StepOutcome.Succeeded();
    }

    private async Task AnswerAsync(LiveJob live, Feedback feedback, CancellationToken cancellationToken)
    {
        var job = live.Job;
        var (repo, number) = (job.Request.RepoName, job.PullRequest!.Number);
        var answer = ReplyText.For(job, feedback);
        var key = new EffectKey($"{job.Id}/answer/{feedback.Row.Key.Replace(':', '-')}");
        if (feedback.Row.ThreadId is { } thread)
        {
            await forge.ReplyAsync(repo, number, thread, answer.Text, key, cancellationToken);
            if (answer.Disposition == Disposition.Fixed)
            {
                await forge.ResolveThreadAsync(repo, number, thread, cancellationToken);
            }
        }
        else if (await forge.FindCommentAsync(repo, number, key, cancellationToken) is null)
        {
            await forge.CommentAsync(repo, number, answer.Text, key, cancellationToken);
        }

        await live.RecordAsync(new JobEntry.FeedbackSettled(feedback.Row.Key, answer.Disposition, answer.Commit), cancellationToken);
    }
}
