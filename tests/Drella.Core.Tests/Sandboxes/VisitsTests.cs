using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Testing.Fakes;

namespace Drella.Core.Tests.Sandboxes;

public sealed class VisitsTests
{
    private readonly List<string> calls = [];
    private bool isRunning;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Begin_WakesAStoppedSandboxAndEndStopsItAgain()
    {
        using var live = await LiveAsync(new JobEntry.Admitted(1), new JobEntry.SandboxReady("s", "fake"), new JobEntry.Concluded(JobConclusion.Failed, "why"), new JobEntry.StepSucceeded(StepName.Settle), new JobEntry.StepSucceeded(StepName.Release));
        var before = live.Job.Sequence;

        var visit = await Visits(live.Job).BeginAsync(live, "ann", "ls", Token);
        await Visits(live.Job).EndAsync(live, Token);

        Assert.Equal(new Visit(Floor.NameOf(live.Job), "fake", WasWoken: true), visit);
        Assert.Equal(before + 1, live.Job.Sequence);
        Assert.Equal(["open", "start", "dismiss", "stop", "close"], calls);
    }

    [Fact]
    public async Task End_LeavesASandboxAloneInWhichTheJobIsAtWork()
    {
        isRunning = true;
        using var live = await LiveAsync(new JobEntry.Admitted(1), new JobEntry.SandboxReady("s", "fake"), new JobEntry.StepStarted(StepName.Work, 1));

        var visit = await Visits(live.Job).BeginAsync(live, "ann", null, Token);
        await Visits(live.Job).EndAsync(live, Token);

        Assert.False(visit!.WasWoken);
        Assert.Empty(calls);
    }

    [Fact]
    public async Task Begin_IsNothingWhereThereIsNoSandbox()
    {
        using var live = await LiveAsync(new JobEntry.Admitted(1));
        var before = live.Job.Sequence;

        Assert.Null(await Visits(live.Job).BeginAsync(live, "ann", null, Token));
        Assert.Equal(before, live.Job.Sequence);
    }

    private static async Task<LiveJob> LiveAsync(params JobEntry[] entries)
    {
        var live = await new JobShelf(new MemoryJournal(TimeProvider.System), TimeProvider.System).OpenAsync(Some.Request(), Token);
        foreach (var entry in entries)
        {
            await live.RecordAsync(entry, Token);
        }

        return live;
    }

    private Visits Visits(Job job)
    {
        var sandboxes = Ports.Of<ISandboxHost>(
            ("ListAsync", _ => Task.FromResult<IReadOnlyList<SandboxState>>([new SandboxState(Floor.NameOf(job), isRunning, Some.Now)])),
            ("EnsureRunningAsync", _ => Note("start", Task.FromResult(Ports.Of<ISandbox>()))),
            ("StopAsync", _ => Note("stop", Task.CompletedTask)));
        var gatehouse = Ports.Of<IGatehouse>(
            ("OpenAsync", _ => Note("open", Task.FromResult(new Doors("m", "e", "t")))),
            ("Dismiss", _ => Note("dismiss", new object())),
            ("CloseAsync", _ => Note("close", Task.CompletedTask)));
        return new Visits(new Floor(sandboxes, gatehouse, new FactorySettings { Identity = new Drella.Core.PullRequests.Identity("n", "e"), AllowedRepos = [] }), sandboxes);
    }

    private object Note(string call, object answer)
    {
        calls.Add(call);
        isRunning = call switch { "start" => true, "stop" => false, _ => isRunning };
        return answer;
    }
}
