using Drella.Core.Agents;
using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.Journal;

namespace Drella.Bench.Journal;

/// <summary>Jobs as they stand in a journal after a while: the mix of entries, and their sizes, that a real job leaves.</summary>
internal static class History
{
    /// <summary>Entries of one job.</summary>
    public const int EntriesEach = 100;

    private const string Commit = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
    private static readonly string SpecText = string.Join('\n', Enumerable.Repeat("The greeting has to carry across a noisy hall, and to stay polite.", 16));
    private static readonly string RoleText = string.Join('\n', Enumerable.Repeat("- Read the repository before you write, and follow its style in all things.", 20));

    /// <summary>
    /// Appends <paramref name="jobs"/> jobs of <see cref="EntriesEach"/> entries: merged, but every twentieth, which waits in the queue with one
    /// entry only, for a spec that nobody merges.
    /// </summary>
    public static async Task<long> WriteAsync(IJournal journal, int jobs, bool isAllMerged, CancellationToken cancellationToken)
    {
        var total = 0L;
        await Parallel.ForAsync(0, jobs, new ParallelOptions { MaxDegreeOfParallelism = 64, CancellationToken = cancellationToken }, async (number, token) =>
        {
            var request = Request(number, isWaiting: !isAllMerged && number % 20 == 0);
            JobEntry[] entries = request.DependsOn.Count > 0 ? [new JobEntry.Opened(request)] : Merged(request, number);
            Interlocked.Add(ref total, entries.Length);
            await journal.AppendAsync(request.Source.Job.Stream, 0, [.. entries.Select(JobEntryCodec.Encode)], token);
        });
        return total;
    }

    public static JobRequest Request(int number, bool isWaiting = false)
    {
        var source = new SourceRef("builtin", "factory/tasks", SourceKind.Spec, $"spec-{number}", Commit, $"in-progress/spec-{number}.md", "operator", "http://forge.invalid/spec", number);
        return new JobRequest
        {
            Source = source,
            Title = $"Greet loudly, the {number}th time",
            Text = SpecText,
            AcceptanceCriteria = ["`greet` answers in capitals when asked to", "nothing else changes", "a test covers each of the two"],
            Repo = "factory/greeter",
            Base = "main",
            Pipeline = [Role("producer", true), Role("validator", false)],
            Profile = "default",
            AllowedHosts = [],
            Priority = 0,
            Budget = 5_000_000_000,
            WorkTimeout = TimeSpan.FromHours(1),
            MaxRounds = 4,
            DependsOn = isWaiting ? [(source with { Name = "never-merged" }).Key] : [],
        };
    }

    private static RoleSnapshot Role(string name, bool mayEdit) => new()
    {
        Name = name, Agent = "claude-code", Model = "claude-sonnet-4-5", Tools = ["open_pr", "get_pr", "report_progress"], MayEdit = mayEdit, Prompt = RoleText,
    };

    private static JobEntry[] Merged(JobRequest request, int number)
    {
        var job = request.Source.Job;
        List<JobEntry> entries = [new JobEntry.Opened(request), new JobEntry.Admitted(1)];
        Step(entries, StepName.Prepare, new JobEntry.BaseResolved(Commit));
        Step(entries, StepName.Provision, new JobEntry.SandboxReady($"{job}-1", "bubblewrap"), new JobEntry.WorkspaceSynced(Commit));
        Step(entries, StepName.Work, [
            new JobEntry.AgentStarted("producer", "5f0c8f9e-0000-7000-8000-000000000001", $"{job}/transcript/1-1-producer-1"),
            .. Calls("producer", job, 24),
            new JobEntry.ToolRequested("call-1", "producer", "report_progress", """{"text":"The tests are written; the change comes next.","percent":40}"""),
            new JobEntry.ToolAnswered("call-1", "report_progress", false, "Noted."),
            new JobEntry.ProgressReported("The tests are written; the change comes next.", 40),
            new JobEntry.DoorUsed("egress", "packages.example:443", false, "not allowed"),
            new JobEntry.ToolRequested("call-2", "producer", "open_pr", """{"title":"Greet loudly when asked to","body":"`greet` takes `{ loud: true }` and answers in capitals."}"""),
            new JobEntry.Harvested(Commit, 2, 3, []),
            new JobEntry.Proposed("Greet loudly when asked to", SpecText, [new RequirementClaim("1", "met", "test/loud.test.js, first test")]),
            new JobEntry.HeadPublished(Commit, Commit),
            new JobEntry.PullRequestOpened(number + 1, "http://forge.invalid/factory/greeter/pull/1", $"drella/greet-loudly-{number}"),
            new JobEntry.ToolAnswered("call-2", "open_pr", false, "The pull request is http://forge.invalid/factory/greeter/pull/1, a draft."),
            new JobEntry.AgentEnded("producer", AgentOutcome.Completed, "The pull request is open; the change is complete.", "result", 180_000, new string('a', 64)),
        ]);
        Step(entries, StepName.Harvest);
        Step(entries, StepName.Judge, [
            new JobEntry.AgentStarted("validator", "5f0c8f9e-0000-7000-8000-000000000002", $"{job}/transcript/1-1-validator-1"),
            .. Calls("validator", job, 8),
            new JobEntry.VerdictGiven("validator", true, "All three criteria are met.", []),
            new JobEntry.AgentEnded("validator", AgentOutcome.Completed, "Verdict given.", "result", 60_000, new string('b', 64)),
        ]);
        Step(entries, StepName.Publish, new JobEntry.ReadyMarked());
        Step(entries, StepName.Answer);
        Step(entries, StepName.Park, new JobEntry.StatusReported(new string('c', 64)));
        entries.AddRange([new JobEntry.PullRequestSeen(PullRequestState.Merged, "operator", Commit), new JobEntry.Concluded(JobConclusion.Merged, "merged by operator")]);
        var end = new List<JobEntry>();
        Step(end, StepName.Settle);
        Step(end, StepName.Release, new JobEntry.SandboxReleased(Kept: false));

        // A job waits a while for its people; what fills the rest are the status reports of that time.
        var idle = Enumerable.Range(0, EntriesEach - entries.Count - end.Count).Select(_ => new JobEntry.StatusReported(new string('d', 64)));
        return [.. entries, .. idle, .. end];
    }

    private static void Step(List<JobEntry> entries, StepName step, params JobEntry[] between) =>
        entries.AddRange([new JobEntry.StepStarted(step, 1), .. between, new JobEntry.StepSucceeded(step)]);

    private static IEnumerable<JobEntry> Calls(string role, JobId job, int entries) => Enumerable.Range(0, entries / 2).SelectMany(number =>
    {
        var id = $"{job}{role}{number:d19}";
        return new JobEntry[]
        {
            new JobEntry.CallReserved(id, role, "claude-sonnet-4-5", 1_200_000),
            new JobEntry.CallSettled(id, "claude-sonnet-4-5", 9000, 400, 30_000, 1200, 33_000, 200),
        };
    });
}
