using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Testing.Fakes;
using Drella.Testing.Simulation;

namespace Drella.Core.Tests.Jobs;

/// <summary>Ends that people take back, and worlds that fail at a bad moment: found by the simulation, told here one by one.</summary>
public sealed class RevivalTests : IDisposable
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(3);

    private readonly FactoryHouse house = new();

    private Job Job => house.Jobs[0].Job;

    private List<FakePull> Pulls => house.Forge.Repo(FactoryHouse.App).Pulls;

    [Fact]
    public async Task Retry_AfterACloseOpensAnotherPullRequest()
    {
        BeginWithSpec("one");
        RunUntil(() => Pulls is [{ State: PullRequestState.Open }]);
        house.Forge.SetState(Pulls[0], PullRequestState.Closed);
        RunUntil(() => Job is { Conclusion: JobConclusion.Closed, Step: null });

        await house.Jobs[0].TellAsync(new JobFact.RetryAsked("ann"), CancellationToken.None);

        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null });
        Assert.Equal([PullRequestState.Closed, PullRequestState.Open], Pulls.Select(pull => pull.State));
        Assert.Equal(Pulls[1].Number, Job.PullRequest!.Number);
    }

    [Fact]
    public void Revision_OfASpecWhoseJobNeedsAPersonClosesItsPullRequestFirst()
    {
        house.Forge.PullOpened += _ => Assert.True(Pulls.Count(pull => pull.IsOpen) <= 1);
        BeginWithSpec("one");
        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null });
        house.Agent = RefuseAsync;
        house.Forge.Say(FactoryHouse.App, Pulls[0].Number, house.Forge.Person("ann"), RemarkKind.Comment, "Once more.");
        RunUntil(() => Job is { Conclusion: JobConclusion.NeedsHuman, Step: null });
        house.Agent = Conduct.DiligentAsync;

        MergeSpec("another");

        RunUntil(() => house.Jobs is [_, { Job: { Phase: JobPhase.InReview, Step: null } }]);
        Assert.Equal(JobConclusion.Cancelled, Job.Conclusion);
        Assert.Equal([PullRequestState.Closed, PullRequestState.Open], Pulls.Select(pull => pull.State));
    }

    [Fact]
    public void Retry_OfAnOlderRevisionOpensNothingBesideTheNewest()
    {
        house.Forge.PullOpened += _ => Assert.True(Pulls.Count(pull => pull.IsOpen) <= 1);
        BeginWithSpec("one");
        RunUntil(() => Pulls is [{ State: PullRequestState.Open }]);
        house.Forge.SetState(Pulls[0], PullRequestState.Closed);
        RunUntil(() => Job is { Conclusion: JobConclusion.Closed, Step: null });
        MergeSpec("another");
        RunUntil(() => house.Jobs is [_, { Job: { Phase: JobPhase.InReview, Step: null } }]);
        house.Agent = RefuseAsync;
        house.Forge.Say(FactoryHouse.App, Pulls[1].Number, house.Forge.Person("ann"), RemarkKind.Comment, "Once more.");
        RunUntil(() => house.Jobs[1].Job is { Conclusion: JobConclusion.NeedsHuman, Step: null });
        house.Agent = Conduct.DiligentAsync;

        _ = house.Jobs[0].TellAsync(new JobFact.RetryAsked("ann"), CancellationToken.None);

        RunUntil(() => Job is { Conclusion: JobConclusion.Cancelled, Step: null });
        Assert.Equal([PullRequestState.Closed, PullRequestState.Open], Pulls.Select(pull => pull.State));
    }

    [Fact]
    public void Cancel_BeforeTheOpeningIsOnRecordClosesThePullRequestAllTheSame()
    {
        house.Fate = call => call.Method == "open-pull" ? PortFate.FailsAfter : PortFate.Answered;
        house.Forge.PullOpened += _ => house.Jobs[0].TellAsync(new JobFact.CancelAsked("bob", "not wanted any more"), CancellationToken.None);

        BeginWithSpec("one");

        RunUntil(() => Job is { Conclusion: JobConclusion.Cancelled, Step: null });
        Assert.Equal(PullRequestState.Closed, Assert.Single(Pulls).State);
        Assert.Equal(Pulls[0].Number, Job.PullRequest?.Number);
    }

    [Fact]
    public void Push_OfAPersonStaysWhenTheAgentDoesNothingAboutIt()
    {
        BeginWithSpec("one");
        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null });
        house.Agent = hands =>
        {
            hands.End(Core.Agents.AgentOutcome.Completed);
            return Task.CompletedTask;
        };
        var branch = Pulls[0].Branch;
        var pushed = house.Git.Commit(house.Forge.Repo(FactoryHouse.App).Branches[branch], [KeyValuePair.Create("people.txt", (string?)"by hand")], "By hand", "ann");
        house.Forge.Push(FactoryHouse.App, branch, pushed);

        _ = house.Jobs[0].TellAsync(new JobFact.ContinueAsked("ann", "Look again", null), CancellationToken.None);

        RunUntil(() => Job is { Conclusion: not null, Step: null } or { Phase: JobPhase.InReview, Step: null });
        Assert.Contains("people.txt", house.Git[house.Forge.Repo(FactoryHouse.App).Branches[branch]].Tree.Keys);
    }

    [Fact]
    public void Push_OfAPersonIsTheGroundOfTheRoundThatPeopleAskFor()
    {
        BeginWithSpec("one");
        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null });
        var (branch, round) = (Pulls[0].Branch, Job.Round);
        var pushed = house.Git.Commit(house.Forge.Repo(FactoryHouse.App).Branches[branch], [KeyValuePair.Create("people.txt", (string?)"by hand")], "By hand", "ann");
        house.Forge.Push(FactoryHouse.App, branch, pushed);

        _ = house.Jobs[0].TellAsync(new JobFact.ContinueAsked("ann", "Look again", null), CancellationToken.None);

        // One round is enough: what was pushed lies in the agent's clone when it begins.
        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null } && Job.Round > round);
        Assert.Equal(round + 1, Job.Round);
        Assert.True(house.Git.IsAncestor(pushed, house.Forge.Repo(FactoryHouse.App).Branches[branch]));
    }

    [Fact]
    public void Question_ThatWasPassedOverDoesNotStopTheNextRound()
    {
        house.Agent = async hands =>
        {
            await hands.UseAsync(Core.Tools.ToolCatalogue.AskHuman, new { question = "Which way?" });
            hands.End(Core.Agents.AgentOutcome.Completed);
        };
        BeginWithSpec("one");
        RunUntil(() => Job is { Wait.Kind: WaitKind.Answer, Step: null });
        house.Agent = Conduct.DiligentAsync;

        _ = house.Jobs[0].TellAsync(new JobFact.ContinueAsked("ann", "Decide yourself", null), CancellationToken.None);

        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null, Wait: null });
    }

    [Fact]
    public void Daemon_StartsAlthoughTheFirstSweepFails()
    {
        var sweeps = 0;
        house.Fate = call => call.Method == "sweep" && sweeps++ == 0 ? PortFate.FailsBefore : PortFate.Answered;

        BeginWithSpec("one");

        RunUntil(() => Job is { Phase: JobPhase.InReview, Step: null });
        Assert.True(sweeps > 0);
    }

    [Fact]
    public void Deadline_OfAWaitOnAFullDiskLeavesTheDaemonAlive()
    {
        house.Agent = async hands =>
        {
            await hands.UseAsync(Core.Tools.ToolCatalogue.AskHuman, new { question = "Which way?" });
            hands.End(Core.Agents.AgentOutcome.Completed);
        };
        BeginWithSpec("one");
        RunUntil(() => Job is { Wait.Kind: WaitKind.Answer, Step: null });
        var until = Job.Wait!.Deadline + TimeSpan.FromMinutes(5);
        house.Journal.Fate = (_, _) => house.Time.GetUtcNow() < until ? AppendFate.DiskFull : AppendFate.Kept;

        Assert.True(house.RunUntil(() => Job.Conclusion == JobConclusion.NeedsHuman, TimeSpan.FromDays(15)), string.Join("; ", house.Faults));
    }

    public void Dispose() => house.Dispose();

    private static Task RefuseAsync(AgentHands hands)
    {
        hands.End(Core.Agents.AgentOutcome.Refused);
        return Task.CompletedTask;
    }

    private void BeginWithSpec(string text)
    {
        MergeSpec(text);
        house.Start();
        RunUntil(() => house.Jobs.Count == 1);
    }

    private void MergeSpec(string text) =>
        house.Forge.MergeFiles(FactoryHouse.Tasks, "ann", KeyValuePair.Create("in-progress/it.md", (string?)$"---\nversion: 1\nrepo: acme/app\ntitle: It\n---\n\n{text}\n"));

    private void RunUntil(Func<bool> isSo) => Assert.True(
        house.RunUntil(isSo, Longest),
        $"{string.Join("; ", house.Faults)} {string.Join("; ", house.Jobs.Select(live => $"{live.Job.Phase} {live.Job.Step} {live.Job.Conclusion} {live.Job.Reason}"))}");
}
