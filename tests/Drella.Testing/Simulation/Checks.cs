using System.Text.Json;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Journal;
using Drella.Testing.Fakes;

namespace Drella.Testing.Simulation;

/// <summary>What must hold in every history: some of it at every moment, the rest at the end.</summary>
public sealed class Checks
{
    // Longer than any outage, back-off and poll together: what was said before this and not seen is lost.
    private static readonly TimeSpan LongestBlindness = TimeSpan.FromMinutes(90);

    private readonly FactoryHouse house;
    private readonly People people;
    private readonly Dictionary<JobId, string> sources = [];
    private readonly List<string> problems = [];

    public Checks(FactoryHouse house, People people)
    {
        (this.house, this.people) = (house, people);
        house.JobChanged += Watch;
        house.Forge.PullOpened += WatchPull;
        house.Forge.Moved += WatchBranch;
    }

    public IReadOnlyList<string> Problems => problems;

    public void CheckEnd(bool isOver)
    {
        problems.AddRange(house.Faults);
        Must(isOver || house.Faults.Count > 0, () => $"it did not come to an end: {string.Join("; ", house.Jobs.Select(live => Describe(live.Job)))}");
        Must(house.Strays == 0, () => $"{house.Strays} continuations came from another thread");
        Must(!isOver || house.Machines.Count == 0, () => $"sandboxes are left: {string.Join(", ", house.Machines.Keys)}");
        var chain = house.Journal.VerifyAsync(null, CancellationToken.None).GetAwaiter().GetResult();
        Must(chain.FirstBad is null, () => $"the chain is broken: {chain.FirstBad}");
        foreach (var live in house.Jobs)
        {
            CheckJob(live.Job);
            CheckReplay(live.Job);
        }

        foreach (var remark in people.Remarks)
        {
            CheckRemark(remark);
        }

        foreach (var (pull, commit) in people.Pushes)
        {
            var head = pull.MergedHead ?? house.Forge.Repo(pull.Repo).Branches.GetValueOrDefault(pull.Branch);
            var path = house.Git.Differences(house.Git[commit].Parent, commit)[0].Key;
            Must(
                head is null || (house.Git.IsAncestor(commit, head) && house.Git[head].Tree.ContainsKey(path)),
                () => $"what a person pushed as {commit[..8]} to {pull.Branch} is gone");
        }

        foreach (var twice in house.Forge.Repos.SelectMany(repo => repo.Remarks).Where(remark => remark.Key is not null).GroupBy(remark => (remark.Repo, remark.Number, remark.Key)).Where(same => same.Count() > 1))
        {
            problems.Add($"{twice.Key} was said {twice.Count()} times");
        }
    }

    private static string Describe(Job job) =>
        $"{job.Id} {job.Phase} {job.Step} try {job.Tries} round {job.Round} {job.Conclusion} '{job.Reason}' wait {job.Wait?.Kind} pull {job.PullRequest?.Number}";

    private void Must(bool holds, Func<string> problem)
    {
        if (!holds && problems.Count < 10)
        {
            problems.Add(problem());
        }
    }

    private void Watch(Job job)
    {
        sources[job.Id] = job.Request.Source.Key;
        Must(job.Spent + job.Reserved <= job.BudgetLimit, () => $"{job.Id} spent {job.Spent} and holds {job.Reserved} of {job.BudgetLimit}");
        Must(house.Charged.GetValueOrDefault(job.Id) <= job.Spent + job.Reserved, () => $"{job.Id} was charged {house.Charged[job.Id]}, but knows of {job.Spent} and {job.Reserved}");
        Must(job.Conclusion is null || !string.IsNullOrWhiteSpace(job.Reason), () => $"{job.Id} ended without a reason");
        Must(
            job is not { Phase: JobPhase.InReview, Step: null, Conclusion: null, Wait: null } || !job.OpenFeedback.Any(),
            () => $"{job.Id} rests although remarks wait");
    }

    private void WatchPull(FakePull pull)
    {
        var source = SourceOf(pull);
        var open = house.Forge.Repos.SelectMany(repo => repo.Pulls).Where(other => other is { IsOpen: true, IsReopened: false } && SourceOf(other) == source).ToList();
        Must(open.Count <= 1, () => $"{source} has {open.Count} open pull requests: {string.Join(", ", open.Select(other => $"{other.Repo}#{other.Number}"))}");
    }

    private string SourceOf(FakePull pull) => sources[new JobId(pull.Key.Value.Split('/')[0])];

    private void WatchBranch(RepoName repo, string branch, string? from, string to) => Must(
        from is null || house.Git.IsAncestor(from, to), () => $"{branch} of {repo} was forced from {from![..8]} to {to[..8]} in place of being carried on");

    private void CheckJob(Job job)
    {
        Must(job.Reason?.Contains("fault of the factory itself", StringComparison.Ordinal) != true, () => Describe(job));
        foreach (var row in job.Feedback.Values.Where(row => row.Disposition is not null && row.Row.NeedsWork))
        {
            var said = house.Forge.Repo(job.Request.RepoName).Remarks.Count(remark => remark.Key?.Value == $"{job.Id}/answer/{row.Row.Key.Replace(':', '-')}");
            Must(said == 1, () => $"{job.Id} settled {row.Row.Key}, and {said} answers are there");
        }
    }

    private void CheckRemark(FakeRemark remark)
    {
        var pull = house.Forge.Pull(remark.Repo, remark.Number);
        var job = house.Jobs.Select(live => live.Job).First(job => job.Id.Value == pull.Key.Value.Split('/')[0]);
        if (job.Feedback.ContainsKey(Core.Reviews.ReviewIntake.KeyOf(new Remark(remark.Kind, remark.Id, remark.Author, "", default, default, ""))))
        {
            return;
        }

        // Not taken in: then the job must have been over, or soon over, when it was said.
        var watched = History(job.Id).Where(moment => moment.At > remark.At).TakeWhile(moment => moment.State.Conclusion is null)
            .Select(moment => moment.At - remark.At).LastOrDefault();

        Must(watched < LongestBlindness, () => $"{job.Id} lived on for {watched} after {remark.Kind}:{remark.Id} was said at {remark.At:HH:mm}, and never took it in");
    }

    private void CheckReplay(Job live)
    {
        Job? last = null;
        foreach (var (state, _) in History(live.Id))
        {
            last = state;
            // Any prefix is a job that a daemon may find at its start: it has to know what to do with it.
            _ = JobMachine.Decide(state, new JobFact.TimePassed(), state.ChangedAt);
            _ = JobMachine.IsRunnable(state, state.ChangedAt);
            _ = state.Assignment;
            Must(state.Step is null || state.Attempt > 0 || state.Conclusion is not null, () => $"a prefix of {live.Id} runs {state.Step} without having been admitted");
            Must((state.Phase == JobPhase.Done) == (state.Conclusion is not null), () => $"a prefix of {live.Id} is {state.Phase} and {state.Conclusion}");
        }

        Must(last is not null && Text(last) == Text(live), () => $"{live.Id} in memory is not what its stream says");
    }

    private IEnumerable<(Job State, DateTimeOffset At)> History(JobId id)
    {
        Job? job = null;
        foreach (var entry in house.Journal.ReadAsync(id.Stream, 0, CancellationToken.None).ToBlockingEnumerable())
        {
            var decoded = JobEntryCodec.Decode(entry);
            job = job is null ? JobFold.Open(id, decoded, entry.At)! : JobFold.Apply(job, decoded, entry.At);
            yield return (job, entry.At);
        }
    }

    private static string Text(Job job) => JsonSerializer.Serialize(job);
}
