using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Drella.Core.Jobs;

namespace Drella.Core.PullRequests;

/// <summary>The one status comment of a job, as it should read now. Pure.</summary>
public static class StatusText
{
    public static string For(Job job, FactorySettings settings)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"**{Headline(job)}**\n\n");
        if (job.Reason is { } reason)
        {
            text.Append(PullRequestText.Clean(reason)).Append("\n\n");
        }

        if (job is { Conclusion: null, Wait: null, Step: StepName.Work or StepName.Judge, Progress: { } progress })
        {
            var percent = progress.Percent is { } done ? string.Create(CultureInfo.InvariantCulture, $" ({done} %)") : "";
            text.Append("> ").Append(PullRequestText.Clean(progress.Text).ReplaceLineEndings("\n> ")).Append(percent).Append("\n\n");
        }

        if (job.Wait is { Kind: WaitKind.Answer } && job.Question is { } question)
        {
            text.Append("> ").Append(PullRequestText.Clean(question.Question).ReplaceLineEndings("\n> ")).Append("\n\n");
            foreach (var option in question.Options)
            {
                text.Append("- ").Append(PullRequestText.Clean(option)).Append('\n');
            }

            text.Append(CultureInfo.InvariantCulture, $"\nAnswer here, or with `drella job answer {job.Id} \"…\"`.\n\n");
        }

        if (job.PullRequest is { } pull)
        {
            text.Append(CultureInfo.InvariantCulture, $"Pull request: {pull.Url}\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"<sub>Job `{job.Id}`, attempt {job.Attempt}, round {job.Round}");
        text.Append(settings.DashboardUrl is { } url ? $", [follow it]({url}/jobs/{job.Id})" : "").Append("</sub>\n");
        return text.ToString();
    }

    /// <summary>Tells whether a comment is still what it should be.</summary>
    public static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))[..16];

    private static string Headline(Job job) => job switch
    {
        { Conclusion: JobConclusion.Merged } => "Merged. Done.",
        { Conclusion: JobConclusion.Closed } => "Closed without a merge.",
        { Conclusion: JobConclusion.Failed } => "Failed.",
        { Conclusion: JobConclusion.Cancelled } => "Cancelled.",
        { Conclusion: JobConclusion.NeedsHuman } => "A person is needed.",
        { Wait.Kind: WaitKind.Budget } => "Paused: the budget is spent.",
        { Wait.Kind: WaitKind.Answer } => "Paused: there is a question.",
        { Phase: JobPhase.Queued } => "Waiting for a place.",
        { Phase: JobPhase.Provisioning } => "Making the sandbox.",
        { Phase: JobPhase.Working } => "The agent is at work.",
        { Phase: JobPhase.Judging } => "The change is being judged.",
        { Phase: JobPhase.Publishing } => "Publishing.",
        { Phase: JobPhase.InReview } => "Ready for review.",
        _ => job.Phase.ToString(),
    };
}
