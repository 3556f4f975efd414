using Drella.Core.Jobs;
using Drella.Core.Steps;
using Drella.Testing;
using Drella.Testing.Fakes;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Core.Tests.Jobs;

public sealed class SchedulerTests
{
    [Fact]
    public async Task Run_OutlivesAFullDiskAtTheEndOfAWait()
    {
        var time = new FakeTime();
        var journal = new MemoryJournal(time);
        using var shelf = new JobShelf(journal, time);
        var live = await shelf.OpenAsync(Some.Request(), TestContext.Current.CancellationToken);
        foreach (var fact in new JobFact[]
        {
            new JobFact.Admit(), new JobFact.StepBegins(StepName.Prepare),
            new JobFact.StepEnds(StepName.Prepare, new StepOutcome.Paused(WaitKind.Budget, "spent")),
            new JobFact.StepBegins(StepName.Park), new JobFact.StepEnds(StepName.Park, new StepOutcome.Succeeded()),
        })
        {
            await live.TellAsync(fact, TestContext.Current.CancellationToken);
        }

        using var stop = new CancellationTokenSource();
        var runner = new JobRunner(new Dictionary<StepName, IStep> { [StepName.Settle] = new Nothing(StepName.Settle), [StepName.Release] = new Nothing(StepName.Release) }, time, NullLogger<JobRunner>.Instance);
        journal.Fate = (_, _) => AppendFate.DiskFull;
        time.Advance(JobPlan.WaitDeadline);
        var running = new Scheduler(shelf, runner, new QueueCaps(1, 1, 1), time, NullLogger<Scheduler>.Instance).RunAsync(stop.Token);
        Assert.False(running.IsCompleted, running.Exception?.ToString());
        Assert.NotNull(live.Job.Wait);

        journal.Fate = null;
        var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        live.Changed += changed =>
        {
            if (changed.Job is { Conclusion: JobConclusion.NeedsHuman, Step: null })
            {
                ended.TrySetResult();
            }
        };
        time.Advance(TimeSpan.FromMinutes(1));
        await ended.Task.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);

        await stop.CancelAsync();
        await running;
    }

    private sealed class Nothing(StepName name) : IStep
    {
        public StepName Name => name;

        public Task<StepOutcome> RunAsync(LiveJob live, CancellationToken cancellationToken) => Task.FromResult<StepOutcome>(new StepOutcome.Succeeded());
    }
}
