using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Core.Tests.Sandboxes;

public sealed class KeepingTests
{
    private static readonly FactorySettings Settings = new()
    {
        Identity = new Drella.Core.PullRequests.Identity("n", "e"), AllowedRepos = [], KeepFailed = TimeSpan.FromHours(2), MaxKeptFailed = 2,
    };

    [Fact]
    public void Over_AreThosePastTheirTimeAndBeyondTheNumber()
    {
        Job[] jobs = [Ended("old", 180), Ended("third", 30), Ended("second", 20), Ended("first", 10), Ended("given back", 600) with { IsReleased = true }];

        Assert.Equal(new HashSet<JobId> { jobs[0].Id, jobs[1].Id }, Keeping.Over(jobs, Settings, Some.Now));
    }

    [Fact]
    public void Over_LeavesJobsAloneThatAreNotOver()
    {
        var waiting = Ended("waiting", 6000) with { Conclusion = null };
        var ending = Ended("ending", 6000) with { Step = StepName.Settle };

        Assert.Empty(Keeping.Over([waiting, ending], Settings, Some.Now));
    }

    private static Job Ended(string name, int minutesAgo) => Some.Queued() with
    {
        Id = JobId.For(name), Attempt = 1, Conclusion = JobConclusion.Failed, Step = null, ChangedAt = Some.Now.AddMinutes(-minutesAgo),
    };
}
