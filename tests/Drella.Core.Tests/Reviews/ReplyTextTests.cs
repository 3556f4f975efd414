using Drella.Core.Jobs;
using Drella.Core.Reviews;

namespace Drella.Core.Tests.Reviews;

public sealed class ReplyTextTests
{
    [Theory]
    [InlineData(null, true, Disposition.Fixed, "Addressed in head2.")]
    [InlineData(null, false, Disposition.Answered, "No commit came with this round.")]
    [InlineData(Disposition.Fixed, true, Disposition.Fixed, "Addressed in head2.")]
    [InlineData(Disposition.Fixed, false, Disposition.Answered, "No commit came with this round.")]
    [InlineData(Disposition.Answered, true, Disposition.Answered, "Nothing was changed for it.")]
    [InlineData(Disposition.Declined, true, Disposition.Declined, "Declined; the reason is above.")]
    [InlineData(Disposition.Deferred, false, Disposition.Deferred, "Deferred; the reason is above.")]
    public void For_SaysWhatReallyHappenedWhateverTheAgentClaims(Disposition? claimed, bool hasCommit, Disposition disposition, string outcome)
    {
        var (job, row) = Round(hasCommit, claimed is { } claim ? new JobEntry.ReplyProposed("builtin:comment:1", "I looked.", claim) : null);

        var reply = ReplyText.For(job, row);

        Assert.Equal(disposition, reply.Disposition);
        Assert.Equal(disposition == Disposition.Fixed ? "head2" : null, reply.Commit);
        Assert.EndsWith("\n\n" + outcome, reply.Text, StringComparison.Ordinal);
        Assert.Contains(claimed is null ? "@ann The agent gave no answer of its own to this remark." : "@ann I looked.", reply.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void For_QuotesAConversationAndNotAThread()
    {
        var (job, row) = Round(hasCommit: false, null);

        Assert.StartsWith("> Please do 1.\n\n@ann ", ReplyText.For(job, row).Text, StringComparison.Ordinal);
        Assert.StartsWith("@ann ", ReplyText.For(job, row with { Row = row.Row with { ThreadId = "t1" } }).Text, StringComparison.Ordinal);
    }

    [Fact]
    public void For_QuotesOneCleanLine()
    {
        var (job, row) = Round(hasCommit: false, new JobEntry.ReplyProposed("builtin:comment:1", "Sure <!-- drella -->\u202e", Disposition.Answered));
        row = row with { Row = row.Row with { Body = "first\r\nsecond <!-- x -->" + new string('y', 500) } };

        var text = ReplyText.For(job, row).Text;

        Assert.StartsWith("> first second &lt;!-- x -->yyy", text, StringComparison.Ordinal);
        Assert.Equal(202, text.Split('\n')[0].Length - 1);
        Assert.DoesNotContain("<!--", text, StringComparison.Ordinal);
        Assert.DoesNotContain('\u202e', text);
    }

    private static (Job Job, Feedback Row) Round(bool hasCommit, JobEntry.ReplyProposed? reply)
    {
        var job = Some.After(Some.InReview(), new JobFact.FeedbackArrived([Some.Remark("1")]));
        if (hasCommit)
        {
            job = JobFold.Apply(job, new JobEntry.HeadPublished("head2", "guest2"), Some.Now);
        }

        if (reply is not null)
        {
            job = JobFold.Apply(job, reply, Some.Now);
        }

        return (job, job.Feedback["builtin:comment:1"]);
    }
}
