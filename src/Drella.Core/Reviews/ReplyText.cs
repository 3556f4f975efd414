using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Core.Reviews;

/// <summary>An answer to a remark.</summary>
internal sealed record Reply(string Text, Disposition Disposition, string? Commit);

/// <summary>Words an answer: the agent's own where it gave one, and always what really happened. Pure.</summary>
internal static class ReplyText
{
    private const int MaxQuote = 200;

    public static Reply For(Job job, Feedback feedback)
    {
        var said = feedback.Reply;
        // A claim is not evidence: without a commit in this round nothing was fixed, whatever the agent says.
        var hasCommit = job.Published is not null && job.Published != job.RoundHead;
        var disposition = said?.Disposition switch
        {
            null => hasCommit ? Disposition.Fixed : Disposition.Answered,
            Disposition.Fixed when !hasCommit => Disposition.Answered,
            var claimed => claimed.Value,
        };
        var words = said is null
            ? "The agent gave no answer of its own to this remark."
            : PullRequestText.Clean(said.Body).Trim();
        var commit = disposition == Disposition.Fixed ? job.Published : null;
        var outcome = disposition switch
        {
            Disposition.Fixed => $"Addressed in {commit}.",
            Disposition.Declined => "Declined; the reason is above.",
            Disposition.Deferred => "Deferred; the reason is above.",
            _ => hasCommit ? "Nothing was changed for it." : "No commit came with this round.",
        };
        var quote = feedback.Row.ThreadId is null ? $"> {Quote(feedback.Row.Body)}\n\n" : "";
        return new Reply($"{quote}@{feedback.Row.Author} {words}\n\n{outcome}", disposition, commit);
    }

    private static string Quote(string body)
    {
        var line = PullRequestText.Clean(body).ReplaceLineEndings(" ").Trim();
        return line.Length <= MaxQuote ? line : line[..MaxQuote] + "…";
    }
}
