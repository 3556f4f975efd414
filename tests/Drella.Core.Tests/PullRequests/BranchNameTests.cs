using System.Text.RegularExpressions;
using Drella.Core.PullRequests;

namespace Drella.Core.Tests.PullRequests;

public sealed partial class BranchNameTests
{
    [Theory]
    [InlineData("Greet loudly", "greet-loudly")]
    [InlineData("  --Fix: the (big) bug!  ", "fix-the-big-bug")]
    [InlineData("Größe", "gr-e")]
    [InlineData("日本語", "change")]
    [InlineData("", "change")]
    [InlineData("../../.git/config", "git-config")]
    [InlineData("a.lock", "a-lock")]
    public void Slug_IsPlainAndNeverEmpty(string title, string slug) => Assert.Equal(slug, BranchName.Slug(title));

    [Fact]
    public void Slug_IsABranchNameWhateverTheTitle()
    {
        for (var seed = 0; seed < 2_000; seed++)
        {
            var random = new Random(seed);
            var title = string.Concat(Enumerable.Range(0, random.Next(0, 200)).Select(_ => (char)random.Next(0, seed % 2 == 0 ? 128 : 0xFFFF)));
            Assert.Matches(Plain(), BranchName.Slug(title));
        }
    }

    [Fact]
    public void For_FollowsFromTheJobAndTellsJobsOfOneTitleApart()
    {
        var job = Some.Queued();
        var other = Some.Queued(Some.Request(Some.Source(revision: "r2")));

        Assert.Equal($"drella/greet-loudly-{job.Id.Value[1..9]}", BranchName.For("drella/", job));
        Assert.NotEqual(BranchName.For("drella/", job), BranchName.For("drella/", other));
    }

    [GeneratedRegex("^[a-z0-9]+(-[a-z0-9]+)*$")]
    private static partial Regex Plain();
}
