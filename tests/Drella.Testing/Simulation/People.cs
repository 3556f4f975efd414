using Drella.Core;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>
/// What people do around the factory: merge specs, revise them, review, push, merge, close, cancel, answer. When the calm has come they bring
/// everything to its end.
/// </summary>
public sealed class People(FactoryHouse house, Random random, FaultPlan plan)
{
    private const int MostRemarks = 4;
    private const int MostRevivals = 2;

    private readonly Dictionary<JobId, int> revivals = [];
    private int words;

    /// <summary>Everything that was said on a pull request by somebody who may command.</summary>
    public List<FakeRemark> Remarks { get; } = [];

    /// <summary>Commits that people pushed to branches of pull requests.</summary>
    public List<(FakePull Pull, string Commit)> Pushes { get; } = [];

    public bool HaveOrdered { get; private set; }

    public void Begin()
    {
        var orders = random.Next(2, 5);
        var last = TimeSpan.Zero;
        for (var number = 1; number <= orders; number++)
        {
            var at = random.NextDouble() * TimeSpan.FromMinutes(90);
            var order = number;
            last = at > last ? at : last;
            house.After(at, () => Order(order));
        }

        house.After(last + TimeSpan.FromMinutes(1), () => HaveOrdered = true);
        house.After(TimeSpan.FromMinutes(5), Visit);
        foreach (var at in plan.Restarts)
        {
            house.After(at, house.Restart);
        }

        foreach (var at in plan.SandboxDeaths)
        {
            house.After(at, KillSandbox);
        }
    }

    private void Order(int number)
    {
        if (random.NextDouble() < 0.2)
        {
            house.Forge.OpenIssue(FactoryHouse.App, random.Next(4) == 0 ? "eve" : "ann", $"Order {number}", "Do it well.");
            return;
        }

        var (tasks, target) = random.Next(5) == 0 ? (FactoryHouse.Lib, FactoryHouse.Lib) : (FactoryHouse.Tasks, random.Next(2) == 0 ? FactoryHouse.App : FactoryHouse.Lib);
        MergeSpec(tasks, target, number, 1);
        if (random.NextDouble() < 0.2)
        {
            house.After(random.NextDouble() * TimeSpan.FromHours(2), () => MergeSpec(tasks, target, number, 2));
        }
    }

    private void MergeSpec(RepoName tasks, RepoName target, int number, int revision)
    {
        var path = $"in-progress/spec-{number}.md";
        var tree = house.Git[house.Forge.Repo(tasks).Branches["main"]].Tree;
        if (revision > 1 && !tree.ContainsKey(path))
        {
            return;
        }

        var header = new List<string> { "version: 1", $"repo: {target}", $"title: Spec {number}", $"priority: {random.Next(-5, 6)}" };
        if (random.Next(2) == 0)
        {
            header.Add("pipeline: strict");
        }

        if (random.NextDouble() < 0.25)
        {
            header.Add("budget: 0.60");
        }

        if (number > 1 && random.NextDouble() < 0.2)
        {
            header.Add($"depends_on: [spec-{random.Next(1, number)}]");
        }

        if (random.NextDouble() < 0.1)
        {
            header.Add("nonsense: yes");
        }

        house.Forge.MergeFiles(tasks, random.Next(2) == 0 ? "ann" : "bob", KeyValuePair.Create(path, (string?)$"---\n{string.Join('\n', header)}\n---\n\nRevision {revision}.\n"));
    }

    private void Visit()
    {
        foreach (var pull in house.Forge.Repos.SelectMany(repo => repo.Pulls).Where(pull => pull.IsOpen).ToList())
        {
            if (plan.IsCalm)
            {
                Finish(pull);
            }
            else
            {
                Review(pull);
            }
        }

        foreach (var live in house.Jobs)
        {
            Tend(live);
        }

        house.After(TimeSpan.FromMinutes(random.Next(4, 12)), Visit);
    }

    private void Review(FakePull pull)
    {
        var said = Remarks.Count(remark => remark.Repo == pull.Repo && remark.Number == pull.Number);
        var isReady = pull.State == PullRequestState.Open;
        var roll = random.NextDouble() * (isReady ? 1 : 4);
        switch (roll)
        {
            case < 0.15 when said < MostRemarks:
                Say(pull, "ann", RemarkKind.Comment, null);
                break;
            case < 0.3 when said < MostRemarks:
                Say(pull, "bob", RemarkKind.Inline, null);
                break;
            case < 0.38 when said < MostRemarks:
                Say(pull, "bob", RemarkKind.Review, ReviewVerdict.RequestChanges);
                Say(pull, "bob", RemarkKind.Inline, null);
                break;
            case < 0.42 when said < MostRemarks:
                Say(pull, "ann", RemarkKind.Review, ReviewVerdict.Approve);
                break;
            case < 0.48:
                Say(pull, random.Next(2) == 0 ? "eve" : "helper[bot]", RemarkKind.Comment, null);
                break;
            case < 0.56:
                Push(pull);
                break;
            case < 0.68 when isReady:
                house.Forge.Merge(pull, "bob");
                break;
            case < 0.71:
                house.Forge.SetState(pull, PullRequestState.Closed);
                break;
            case < 0.74:
                house.Forge.SetState(pull, PullRequestState.Closed);
                house.After(TimeSpan.FromMinutes(random.Next(1, 15)), () => Reopen(pull));
                break;
        }
    }

    private void Reopen(FakePull pull)
    {
        if (pull.State == PullRequestState.Closed && house.Forge.Repo(pull.Repo).Pulls.All(other => !other.IsOpen || other.Branch != pull.Branch))
        {
            pull.IsReopened = true;
            house.Forge.SetState(pull, PullRequestState.Open);
        }
    }

    private void Finish(FakePull pull)
    {
        var job = JobOf(pull);
        if (job is { Conclusion: not null, Step: null })
        {
            // Whatever was left to people is looked through and put away.
            house.Forge.SetState(pull, PullRequestState.Closed);
        }
        else if (job is { Phase: JobPhase.InReview, Step: null, Wait: null } && pull.State == PullRequestState.Open)
        {
            if (random.Next(5) > 0)
            {
                house.Forge.Merge(pull, "ann");
            }
            else
            {
                house.Forge.SetState(pull, PullRequestState.Closed);
            }
        }
    }

    private void Tend(LiveJob live)
    {
        var job = live.Job;
        var eager = plan.IsCalm ? 1 : 0.4;
        switch (job)
        {
            case { Wait.Kind: WaitKind.Answer } when random.NextDouble() < eager:
                Tell(live, random.Next(4) > 0 ? new JobFact.AnswerGiven("This way.", "ann") : new JobFact.ContinueAsked("ann", "Decide yourself", null));
                break;
            case { Wait.Kind: WaitKind.Budget } when random.NextDouble() < eager:
                Tell(live, new JobFact.ContinueAsked("bob", null, job.BudgetLimit + 3_000_000));
                break;
            case { Conclusion: JobConclusion.Failed or JobConclusion.NeedsHuman or JobConclusion.Closed, Step: null } when !plan.IsCalm && random.NextDouble() < 0.4 && Revive(job.Id):
                Tell(live, random.Next(2) == 0 ? new JobFact.RetryAsked("ann") : new JobFact.ContinueAsked("ann", "Try again", null));
                break;
            case { Conclusion: null } when !plan.IsCalm && random.NextDouble() < 0.006:
                Tell(live, new JobFact.CancelAsked("bob", "not wanted any more"));
                break;
            case { Phase: JobPhase.InReview, Step: null } when !plan.IsCalm && random.NextDouble() < 0.02:
                Tell(live, new JobFact.ContinueAsked("ann", "One more thing", null));
                break;
            case { Phase: JobPhase.Queued } when plan.IsCalm && QueuePolicy.Blockers(job, house.Jobs.Select(other => other.Job)).Any(IsHopeless):
                Tell(live, new JobFact.CancelAsked("bob", "what it needs will not come"));
                break;
        }
    }

    private bool IsHopeless(string source) => house.Jobs.Where(live => live.Job.Request.Source.Key == source).All(live => live.Job is { Conclusion: not null, Step: null });

    private bool Revive(JobId job) => (revivals[job] = revivals.GetValueOrDefault(job) + 1) <= MostRevivals;

    private void Say(FakePull pull, string login, RemarkKind kind, ReviewVerdict? verdict)
    {
        var remark = house.Forge.Say(pull.Repo, pull.Number, house.Forge.Person(login), kind, $"Remark {++words}", verdict: verdict);
        if (house.Forge.Rights.ContainsKey(login))
        {
            Remarks.Add(remark);
        }
    }

    private void Push(FakePull pull)
    {
        var head = house.Forge.Repo(pull.Repo).Branches[pull.Branch];
        var commit = house.Git.Commit(head, [KeyValuePair.Create($"people/{++words}.txt", (string?)"by hand")], $"By hand {words}", "ann");
        Pushes.Add((pull, commit));
        house.Forge.Push(pull.Repo, pull.Branch, commit);
    }

    private void KillSandbox()
    {
        var running = house.Machines.Values.Where(machine => machine.IsRunning).ToList();
        if (running.Count > 0)
        {
            var machine = running[random.Next(running.Count)];
            machine.Stop();
            if (random.Next(3) == 0)
            {
                house.Lose(machine.Name);
            }
        }
    }

    private Job? JobOf(FakePull pull) => house.Jobs.Select(live => live.Job).FirstOrDefault(job => pull.Key.Value == $"{job.Id}/pr" || pull.Key.Value.StartsWith($"{job.Id}/pr/", StringComparison.Ordinal));

    private static void Tell(LiveJob live, JobFact fact) => _ = TellAsync(live, fact);

    private static async Task TellAsync(LiveJob live, JobFact fact)
    {
        try
        {
            await live.TellAsync(fact, CancellationToken.None);
        }
        catch (DriverException)
        {
            // The disk is full: the person sees an error, and comes again.
        }
    }
}
