using Drella.Core.Forges;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Testing.Fakes;
using Drella.Testing.Simulation;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Core.Tests.PullRequests;

public sealed class StatusReporterTests
{
    private readonly List<string> made = [];
    private readonly List<string> edits = [];

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Comment_IsOneAndSaysWhatTheAgentIsDoing()
    {
        using var work = await JobAtWork.StartAsync();
        var status = Reporter();

        await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => status.ReportAsync(work.Live, Stop)));
        await work.RecordAsync(new JobEntry.ProgressReported("Writing the <!-- hidden --> tests.", 40));
        await status.ReportAsync(work.Live, Stop);
        await status.ReportAsync(work.Live, Stop);

        Assert.Contains("The agent is at work.", Assert.Single(made), StringComparison.Ordinal);
        Assert.Contains("> Writing the &lt;!-- hidden --> tests. (40 %)", Assert.Single(edits), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Comment_SaysNothingOfTheAgentOnceItRests()
    {
        using var work = await JobAtWork.StartAsync();
        await work.RecordAsync(new JobEntry.ProgressReported("Writing the tests.", 40));
        await work.EndAsync(StepName.Work, new StepOutcome.Paused(WaitKind.Budget, "the budget is spent"));

        Assert.DoesNotContain("Writing the tests", StatusText.For(work.Job, JobAtWork.Settings), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Forge_ThatFailsIsTriedAgain()
    {
        using var work = await JobAtWork.StartAsync();
        var fails = true;
        var status = Reporter(() => fails ? throw new DriverException(true, "502") : Task.FromResult<Remark?>(null));
        await status.ReportAsync(work.Live, Stop);
        Assert.Null(work.Job.StatusDigest);

        fails = false;
        await status.ReportAsync(work.Live, Stop);

        Assert.Single(made);
    }

    [Fact]
    public async Task Report_TwiceAtOnceLeavesOneComment()
    {
        using var house = new FactoryHouse();
        house.Forge.MergeFiles(FactoryHouse.Tasks, "ann", KeyValuePair.Create("in-progress/it.md", (string?)"---\nversion: 1\nrepo: acme/app\n---\n\n# It\n"));
        house.Start();
        Assert.True(house.RunUntil(() => house.Jobs.Count == 1, TimeSpan.FromMinutes(5)));
        // The same order in a factory of its own, whose forge takes a second for each call.
        house.Forge.Repo(FactoryHouse.Tasks).Remarks.Clear();
        using var shelf = new JobShelf(new MemoryJournal(house.Time), house.Time);
        var live = await shelf.OpenAsync(house.Jobs[0].Job.Request, CancellationToken.None);
        var slow = new PortGate(new Life(house.Time)) { Latency = _ => TimeSpan.FromSeconds(1) };
        var status = new StatusReporter(new FakeForge(house.Forge, slow), house.Settings, NullLogger<StatusReporter>.Instance);
        house.Crash();

        var both = Task.WhenAll(status.ReportAsync(live, CancellationToken.None), status.ReportAsync(live, CancellationToken.None));

        Assert.True(house.RunUntil(() => both.IsCompletedSuccessfully, TimeSpan.FromSeconds(4)));
        Assert.Single(house.Forge.Repo(FactoryHouse.Tasks).Remarks);
    }

    private StatusReporter Reporter(Func<Task<Remark?>>? find = null) => new(
        Ports.Of<IForge>(
            ("FindCommentAsync", _ => find is null ? FindAsync() : find()),
            ("CommentAsync", args =>
            {
                made.Add((string)args[2]!);
                return Task.FromResult("1");
            }),
            ("EditCommentAsync", args =>
            {
                edits.Add((string)args[2]!);
                return Task.CompletedTask;
            })),
        JobAtWork.Settings,
        NullLogger<StatusReporter>.Instance);

    private async Task<Remark?> FindAsync()
    {
        // A forge answers later: whoever does not stand in line asks meanwhile and finds nothing, too.
        var now = made.Count;
        await Task.Yield();
        return now == 0 ? null : new Remark(RemarkKind.Comment, "1", new Actor("1", "factory", true), made[0], default, default, "");
    }
}
