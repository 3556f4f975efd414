using Drella.Core.Jobs;

namespace Drella.Core.Tests;

/// <summary>Ordinary things, to be changed by <c>with</c> where a test is about them.</summary>
internal static class Some
{
    public static readonly DateTimeOffset Now = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);

    public static RoleSnapshot Role(string name = "producer", bool mayEdit = true) => new()
    {
        Name = name, Agent = "claude-code", Model = "claude-sonnet-4-5", Tools = ["open_pr"], MayEdit = mayEdit, Prompt = $"You are {name}.",
    };

    public static SourceRef Source(string name = "greet", string author = "ann", string revision = "r1") =>
        new("builtin", "team/tasks", SourceKind.Spec, name, revision, $"in-progress/{name}.md", author, $"http://forge/{name}", 7);

    public static JobRequest Request(SourceRef? source = null) => new()
    {
        Source = source ?? Source(), Title = "Greet loudly", Text = "Shout.", AcceptanceCriteria = ["it shouts", "it is tested"], Repo = "team/greeter", Base = "main",
        Pipeline = [Role(), Role("validator", mayEdit: false)], Profile = "default", AllowedHosts = [], Priority = 0, Budget = 5_000_000,
        WorkTimeout = TimeSpan.FromHours(1), MaxRounds = 3,
    };

    /// <summary>A job as the queue sees it when it was just opened.</summary>
    public static Job Queued(JobRequest? request = null, int age = 0)
    {
        var asked = request ?? Request();
        return JobFold.Open(asked.Source.Job, new JobEntry.Opened(asked), Now - TimeSpan.FromMinutes(age))!;
    }

    /// <summary>A job after these facts, each decided and folded as it would be live.</summary>
    public static Job After(Job job, params JobFact[] facts) => facts.Aggregate(job, (state, fact) => Tell(state, fact).Job);

    public static (Job Job, IReadOnlyList<JobEntry> Entries) Tell(Job job, JobFact fact, DateTimeOffset? at = null)
    {
        var entries = JobMachine.Decide(job, fact, at ?? Now);
        return (entries.Aggregate(job, (state, entry) => JobFold.Apply(state, entry, at ?? Now)), entries);
    }

    /// <summary>Begins and ends a step well.</summary>
    public static Job Did(Job job, StepName step, params JobEntry[] entries) =>
        After(job, new JobFact.StepBegins(step), new JobFact.StepEnds(step, new StepOutcome.Succeeded { Entries = entries }));

    /// <summary>A job whose producer is at work.</summary>
    public static Job Working(JobRequest? request = null) => After(
        Did(Did(After(Queued(request), new JobFact.Admit()), StepName.Prepare, new JobEntry.BaseResolved("base1")), StepName.Provision), new JobFact.StepBegins(StepName.Work));

    /// <summary>A job that lies with people: published, parked, with a pull request.</summary>
    public static Job InReview(JobRequest? request = null)
    {
        var job = After(Working(request), new JobFact.StepEnds(StepName.Work, new StepOutcome.Succeeded()));
        job = Did(job, StepName.Harvest, new JobEntry.Harvested("guest1", 1, 1, []));
        while (job.Step == StepName.Judge)
        {
            job = Did(job, StepName.Judge, new JobEntry.VerdictGiven(job.CurrentRole.Name, true, "fine", []));
        }

        job = Did(job, StepName.Publish, new JobEntry.HeadPublished("head1", "guest1"), new JobEntry.PullRequestOpened(3, "http://forge/pull/3", "drella/greet"), new JobEntry.ReadyMarked());
        return Did(Did(job, StepName.Answer), StepName.Park);
    }

    public static FeedbackRow Remark(string id, bool needsWork = true) => new()
    {
        Key = $"builtin:comment:{id}", Kind = Forges.RemarkKind.Comment, Id = id, Author = "ann", Body = $"Please do {id}.", NeedsWork = needsWork,
    };
}
