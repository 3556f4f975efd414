using Drella.Core.Jobs;

namespace Drella.Core.Tests.Jobs;

public sealed class QueuePolicyTests
{
    private static readonly QueueCaps Wide = new(100, 100, 100);

    [Fact]
    public void Pick_NeverExceedsACap()
    {
        for (var seed = 0; seed < 500; seed++)
        {
            var random = new Random(seed);
            var caps = new QueueCaps(random.Next(1, 6), random.Next(1, 4), random.Next(1, 4));
            var jobs = Enumerable.Range(0, random.Next(1, 25)).Select(i => Job(
                $"s{i}", author: $"author{random.Next(3)}", repo: $"team/repo{random.Next(3)}", priority: random.Next(-5, 5), age: random.Next(50))).ToList();
            var running = new List<Job>();
            foreach (var job in jobs)
            {
                if (Fits(running, job, caps) && random.Next(2) == 0)
                {
                    running.Add(job);
                }
            }

            var picked = QueuePolicy.Pick(jobs, running.Select(job => job.Id).ToHashSet(), caps, Some.Now);

            var floor = running.Concat(picked).ToList();
            Assert.Equal(floor.Count, floor.DistinctBy(job => job.Id).Count());
            Assert.True(floor.Count <= caps.Global, $"seed {seed}");
            Assert.True(floor.GroupBy(job => job.Request.RepoName).All(group => group.Count() <= caps.PerRepository), $"seed {seed}");
            Assert.True(floor.GroupBy(job => job.Request.Source.Author).All(group => group.Count() <= caps.PerAuthor), $"seed {seed}");
            Assert.True(jobs.Except(floor).All(job => !Fits(floor, job, caps)), $"seed {seed}: a place stays empty while a job waits");
        }
    }

    [Fact]
    public void Pick_CountsARepositoryOnceWhateverTheCaseOfItsName()
    {
        var picked = Pick([Job("a", repo: "Team/Repo"), Job("b", repo: "team/repo")], new QueueCaps(10, 1, 10));

        Assert.Single(picked);
    }

    [Fact]
    public void Pick_TakesTheBegunThenPriorityThenTheIdleAuthorThenAge()
    {
        var begun = Some.After(Job("begun", author: "zoe", priority: -100), new JobFact.Admit());
        var urgent = Job("urgent", author: "ann", priority: 5);
        var old = Job("old", author: "ann", age: 60);
        var young = Job("young", author: "ann", age: 5);
        var other = Job("other", author: "bob", age: 1);

        var picked = Pick([young, other, old, urgent, begun], Wide);

        Assert.Equal(["begun", "urgent", "other", "old", "young"], picked.Select(job => job.Request.Source.Name));
    }

    [Fact]
    public void Pick_LetsADependentJobWaitUntilAllItDependsOnIsMerged()
    {
        var first = Job("first");
        var second = Job("second");
        var dependent = Job("third", dependsOn: [first.Request.Source.Key, second.Request.Source.Key]);

        Assert.DoesNotContain(dependent, Pick([first, second, dependent], Wide));
        Assert.Equal([first.Request.Source.Key, second.Request.Source.Key], QueuePolicy.Blockers(dependent, [first, second, dependent]));

        var merged = Ended(first, JobConclusion.Merged);
        Assert.DoesNotContain(dependent, Pick([merged, second, dependent], Wide));
        Assert.DoesNotContain(dependent, Pick([merged, Ended(second, JobConclusion.Failed), dependent], Wide));
        Assert.Contains(dependent, Pick([merged, Ended(second, JobConclusion.Merged), dependent], Wide));
        Assert.Empty(QueuePolicy.Blockers(dependent, [merged, Ended(second, JobConclusion.Merged)]));
    }

    [Fact]
    public void Pick_LetsANewRevisionWaitForTheOlderToLetGo()
    {
        var older = Some.Working(Request("a", revision: "r1"));
        var newer = Job("a", revision: "r2");

        Assert.DoesNotContain(newer, QueuePolicy.Pick([older, newer], new HashSet<JobId> { older.Id }, Wide, Some.Now));

        var letGo = Some.Did(Some.Did(Ended(older, JobConclusion.Cancelled), StepName.Settle), StepName.Release);
        Assert.Equal([newer.Id], Pick([letGo, newer], Wide).Select(job => job.Id));
    }

    [Fact]
    public void Pick_HoldsABrokenStepUntilItsTimeHasCome()
    {
        var job = Some.After(Some.Working(), new JobFact.StepEnds(StepName.Work, new StepOutcome.Broken("the forge is away", true, Some.Now + TimeSpan.FromMinutes(3))));

        Assert.Empty(Pick([job], Wide));
        Assert.Equal([job], QueuePolicy.Pick([job], new HashSet<JobId>(), Wide, job.RetryAt!.Value));
    }

    [Fact]
    public void Pick_LetsWhatNeedsNoSandboxGoOnWhenTheFloorIsFull()
    {
        var running = Some.Working(Request("running"));
        var ending = Ended(Some.Working(Request("ending")), JobConclusion.Failed);

        Assert.Equal([ending], QueuePolicy.Pick([running, ending, Job("waiting")], new HashSet<JobId> { running.Id }, new QueueCaps(1, 1, 1), Some.Now));
    }

    [Theory]
    [InlineData("a", "b", "b:c c:d", null)]
    [InlineData("a", "a", "", "a a")]
    [InlineData("a", "b", "b:a", "a b a")]
    [InlineData("a", "b", "b:c c:a", "a b c a")]
    [InlineData("a", "b c", "b:d c:d d:e", null)]
    [InlineData("a", "b", "b:c c:b", null)]
    [InlineData("a", "x b", "b:c,d d:a", "a b d a")]
    public void FindCycle_NamesTheWayRound(string source, string dependsOn, string known, string? cycle)
    {
        var graph = known.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(edge => edge.Split(':'))
            .ToDictionary(edge => edge[0], edge => (IReadOnlyList<string>)edge[1].Split(','));

        Assert.Equal(cycle?.Split(' '), QueuePolicy.FindCycle(source, dependsOn.Split(' '), graph));
    }

    private static bool Fits(List<Job> floor, Job job, QueueCaps caps) =>
        floor.Count < caps.Global
        && floor.Count(other => other.Request.RepoName == job.Request.RepoName) < caps.PerRepository
        && floor.Count(other => other.Request.Source.Author == job.Request.Source.Author) < caps.PerAuthor;

    private static IReadOnlyList<Job> Pick(IReadOnlyCollection<Job> jobs, QueueCaps caps) => QueuePolicy.Pick(jobs, new HashSet<JobId>(), caps, Some.Now);

    private static Job Ended(Job job, JobConclusion conclusion) => JobFold.Apply(job, new JobEntry.Concluded(conclusion, "because"), Some.Now);

    private static JobRequest Request(string name, string author = "ann", string revision = "r1") => Some.Request(Some.Source(name, author, revision));

    private static Job Job(
        string name, string author = "ann", string repo = "team/greeter", int priority = 0, int age = 0, string revision = "r1", IReadOnlyList<string>? dependsOn = null) =>
        Some.Queued(Request(name, author, revision) with { Repo = repo, Priority = priority, DependsOn = dependsOn ?? [] }, age);
}
