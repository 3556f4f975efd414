using Drella.Core.Jobs;
using Drella.Core.PullRequests;

namespace Drella.Core.Tests.PullRequests;

public sealed class PullRequestTextTests
{
    private static readonly FactorySettings Settings = new()
    {
        Identity = new Identity("drellabot", "bot@example.com"), AllowedRepos = ["team/*"], DashboardUrl = "http://dash",
    };

    [Fact]
    public void Body_HoldsTheAgentsWordsAndBelowThemWhatTheHostKnows()
    {
        var job = JobFold.Apply(Some.InReview(), new JobEntry.Proposed("Greet", "I made it shout.", [new RequirementClaim("1", "met", "LoudTests | all")]), Some.Now);
        job = JobFold.Apply(job, new JobEntry.CallSettled("c", "m", 1, 1, 0, 0, 1_234_500, 200), Some.Now);

        Assert.Equal(
            $"""
            I made it shout.

            ---

            ### Requirements

            | # | Requirement | The agent's claim | Evidence it gives |
            |---|---|---|---|
            | 1 | it shouts | met | LoudTests \| all |
            | 2 | it is tested | no word |  |

            ### Verdicts

            - **validator**: pass: fine

            ### What was not verified

            The table above is what the agent says. The verdicts come from other agents that saw the diff; the host did not run the tests itself.


            <sub>Made by drellabot for [spec greet in team/tasks](http://forge/greet), asked for by ann. Job `{job.Id}` ([transcript](http://dash/jobs/{job.Id})), $1.2345 of $5.00 spent, 1 round.</sub>

            """,
            PullRequestText.Body(job, Settings));
    }

    [Fact]
    public void Title_IsOneLineFromTheProposalElseFromTheSpec()
    {
        Assert.Equal("Greet loudly", PullRequestText.Title(Some.Working()));
        Assert.Equal("Greet now", PullRequestText.Title(JobFold.Apply(Some.Working(), new JobEntry.Proposed("Greet\nnow\u202E", "", []), Some.Now)));
    }

    [Theory]
    [InlineData("a<!-- drella:key -->b", "a&lt;!-- drella:key -->b")]
    [InlineData("a\u200b\u202e\u2066\ufeff\U000E0041b", "ab")]
    [InlineData("a\u0000\u001b[2J\u0085b", "a[2J\nb")]
    [InlineData("a\r\nb\tc", "a\nb\tc")]
    [InlineData("größe 😀", "größe 😀")]
    public void Clean_LeavesWhatReadsAsItRenders(string text, string clean) => Assert.Equal(clean, PullRequestText.Clean(text));

    [Fact]
    public void Clean_CannotBeTalkedIntoAMarkerByPieces()
    {
        for (var seed = 0; seed < 5_000; seed++)
        {
            var random = new Random(seed);
            string[] pieces = ["<", "!", "-", "--", "<!-", "\u200b", "\0", "\u202e", "x", "\r", "\n", "\ud800"];
            var text = string.Concat(Enumerable.Range(0, 12).Select(_ => pieces[random.Next(pieces.Length)]));

            Assert.DoesNotContain("<!--", PullRequestText.Clean(text), StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Body_IsBoundedAndStillEndsInWhatTheHostKnows()
    {
        var job = JobFold.Apply(Some.InReview(), new JobEntry.Proposed("Greet", new string('x', 200_000), []), Some.Now);

        var body = PullRequestText.Body(job, Settings);

        Assert.InRange(body.Length, 1, 65_000);
        Assert.Contains("### What was not verified", body, StringComparison.Ordinal);
        Assert.Contains($"Job `{job.Id}`", body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, "$0.00")]
    [InlineData(1_500_000, "$1.50")]
    [InlineData(12_345, "$0.0123")]
    [InlineData(10_000_000_000, "$10000.00")]
    public void Money_IsWrittenAsPeopleDo(long millionths, string text) => Assert.Equal(text, PullRequestText.Money(millionths));
}
