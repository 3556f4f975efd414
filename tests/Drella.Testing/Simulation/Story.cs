using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>
/// The main job: a spec is merged, a pull request is judged and opened, a person reviews it, is answered, and merges. The person looks before each
/// act, so that the story goes on after whatever befell the daemon.
/// </summary>
public sealed class Story : IDisposable
{
    private const string Spec = "---\nversion: 1\nrepo: acme/app\ntitle: Greet loudly\npipeline: strict\n---\n\nLouder.\n";
    private static readonly TimeSpan Longest = TimeSpan.FromHours(12);

    private bool hasReviewed;
    private int verdicts;

    public Story()
    {
        House.Agent = AgentAsync;
        House.Forge.MergeFiles(FactoryHouse.Tasks, "ann", KeyValuePair.Create("in-progress/greet.md", (string?)Spec));
        House.JobChanged += job => Step = job is { IsStepOpen: true, Step: { } step } ? step : null;
    }

    public FactoryHouse House { get; } = new();

    /// <summary>The step that is open.</summary>
    public StepName? Step { get; private set; }

    public Job Job => Assert.Single(House.Jobs).Job;

    public bool IsOver => House.Core.Jobs.All is [{ Job: { Conclusion: not null, Step: null } }];

    /// <summary>Tells it to the end and on until nothing of the job is left; says in one text what is so then.</summary>
    public string Tell()
    {
        House.Start();
        Visit();
        Assert.True(House.RunUntil(() => IsOver, Longest), Trouble("did not come to an end"));
        House.RunFor(TimeSpan.FromHours(2));
        Assert.Empty(House.Faults);
        return Outcome();
    }

    /// <summary>What holds however it ended.</summary>
    public void CheckEnd()
    {
        var job = Job;
        Assert.False(string.IsNullOrWhiteSpace(job.Reason), Trouble("ended without a reason"));
        Assert.DoesNotContain("fault of the factory itself", job.Reason, StringComparison.Ordinal);
        Assert.True(House.Machines.Count == 0, Trouble("left a sandbox"));
        Assert.True(House.Forge.Repos.Sum(repo => repo.Pulls.Count) <= 1, Trouble("opened more than one pull request"));
        Assert.Null(House.Journal.VerifyAsync(null, CancellationToken.None).GetAwaiter().GetResult().FirstBad);
        Assert.Equal(0, House.Strays);
    }

    public void Dispose() => House.Dispose();

    public string Trouble(string what)
    {
        var jobs = House.Jobs.Select(live => live.Job).Select(job => $"{job.Id} {job.Phase} {job.Step} {job.Conclusion} {job.Reason}");
        return $"the story {what}; {string.Join("; ", House.Faults)} {string.Join("; ", jobs)}";
    }

    private string Outcome()
    {
        var app = House.Forge.Repo(FactoryHouse.App);
        var tasks = House.Forge.Repo(FactoryHouse.Tasks);
        var lines = new List<string>
        {
            $"{Job.Conclusion}",
            $"pulls {string.Join(", ", app.Pulls.Select(pull => $"{pull.State} {pull.Title} {pull.Body.Contains("validator**: pass", StringComparison.Ordinal)}"))}",
            $"branches {string.Join(", ", app.Branches.Keys.Order(StringComparer.Ordinal))}",
            $"tasks {string.Join(", ", House.Git[tasks.Branches["main"]].Tree.Keys)}",
            $"resolved {app.ResolvedThreads.Count}",
        };
        lines.AddRange(app.Remarks.Concat(tasks.Remarks).Where(remark => remark.Key is not null)
            .Select(remark => $"{remark.Kind} {remark.Key} {remark.Body.Contains("Addressed in", StringComparison.Ordinal)}").Order(StringComparer.Ordinal));
        lines.AddRange(Job.Feedback.Values.OrderBy(row => row.Order).Select(row => $"{row.Row.Kind} {row.Disposition}"));
        return string.Join('\n', lines);
    }

    private void Visit()
    {
        var app = House.Forge.Repo(FactoryHouse.App);
        if (app.Pulls is [{ State: PullRequestState.Open } pull])
        {
            var answers = app.Remarks.Count(remark => remark.Key?.Value.Contains("/answer/", StringComparison.Ordinal) == true);
            if (!hasReviewed)
            {
                hasReviewed = true;
                Say(pull, RemarkKind.Comment, "Offer it on the command line too.");
                Say(pull, RemarkKind.Inline, "Give it a default.");
                House.Forge.Say(pull.Repo, pull.Number, House.Forge.Person("bob"), RemarkKind.Review, "Nearly.", verdict: ReviewVerdict.RequestChanges);
            }
            else if (answers >= 3 && House.Jobs is [{ Job: { Phase: JobPhase.InReview, Step: null } }])
            {
                House.Forge.Merge(pull, "bob");
                return;
            }
        }

        House.After(TimeSpan.FromMinutes(1), Visit);
    }

    private void Say(FakePull pull, RemarkKind kind, string text) => House.Forge.Say(pull.Repo, pull.Number, House.Forge.Person("bob"), kind, text);

    // The first verdict is against it, so that a round of findings is in the story.
    private async Task AgentAsync(AgentHands hands)
    {
        if (!await hands.ThinkAsync(1000, 400, TimeSpan.FromSeconds(5)))
        {
            hands.End(Core.Agents.AgentOutcome.ModelError);
        }
        else if (hands.IsJudge)
        {
            await Conduct.JudgeAsync(hands, passes: verdicts++ > 0);
        }
        else
        {
            await Conduct.WorkAsync(hands, "words");
        }
    }
}
