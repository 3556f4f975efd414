using Microsoft.Extensions.Logging;

namespace Drella.Core.Jobs;

/// <summary>
/// The loop that keeps the floor busy: looks at every job, starts the runners that <see cref="QueuePolicy"/> picks, and sleeps.
/// A change only wakes it early; what it does depends on what it sees.
/// </summary>
internal sealed partial class Scheduler(JobShelf shelf, JobRunner runner, QueueCaps caps, TimeProvider time, ILogger<Scheduler> logger)
{
    private readonly Signal pause = new();
    private static readonly TimeSpan LongestSleep = TimeSpan.FromSeconds(30);

    /// <summary>Runs until cancelled; then waits until every runner has let go of its step.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        var signal = new Signal();
        var running = new Dictionary<JobId, Task>();
        void Wake(LiveJob changed) => signal.Raise();
        shelf.Changed += Wake;
        try
        {
            while (!cancellationToken.IsCancellationRequested)
            {
                await ReapAsync(running, cancellationToken);
                foreach (var job in QueuePolicy.Pick([.. shelf.All.Select(live => live.Job)], running.Keys.ToHashSet(), caps, time.GetUtcNow()))
                {
                    running[job.Id] = StartAsync(shelf.Find(job.Id)!, signal, cancellationToken);
                }

                await PassTimeAsync(cancellationToken);
                await signal.WaitAsync(NextWake(running), time, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            LogStopping(running.Count);
        }
        finally
        {
            shelf.Changed -= Wake;
            await Task.WhenAll(running.Values).ContinueWith(_ => { }, CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
        }
    }

    private async Task StartAsync(LiveJob live, Signal signal, CancellationToken cancellationToken)
    {
        await Task.Yield();
        try
        {
            await runner.RunAsync(live, cancellationToken);
        }
        finally
        {
            signal.Raise();
        }
    }

    private async Task ReapAsync(Dictionary<JobId, Task> running, CancellationToken cancellationToken)
    {
        foreach (var (id, task) in running.Where(entry => entry.Value.IsCompleted).ToList())
        {
            running.Remove(id);
            if (task.Exception?.InnerException is { } error and not OperationCanceledException)
            {
                // The journal did not take an entry (a full disk, say): the job stands where it stood. Look again when the wait is over.
                LogRunnerBroke(error, id);
                await pause.WaitAsync(TimeSpan.FromSeconds(1), time, cancellationToken);
            }
        }
    }

    private async Task PassTimeAsync(CancellationToken cancellationToken)
    {
        foreach (var live in shelf.All.Where(live => live.Job.Wait?.Deadline <= time.GetUtcNow()))
        {
            try
            {
                await live.TellAsync(new JobFact.TimePassed(), cancellationToken);
            }
            catch (DriverException error)
            {
                // As above: the wait goes on, and so do the other jobs.
                LogRunnerBroke(error, live.Job.Id);
            }
        }
    }

    private TimeSpan NextWake(Dictionary<JobId, Task> running)
    {
        var now = time.GetUtcNow();
        var retries = shelf.All.Select(live => live.Job)
            .Where(job => job is { Step: not null, RetryAt: not null } && !running.ContainsKey(job.Id))
            .Select(job => job.RetryAt!.Value - now)
            .Where(wait => wait > TimeSpan.Zero)
            .DefaultIfEmpty(LongestSleep);
        var next = retries.Min();
        return next < LongestSleep ? next + TimeSpan.FromMilliseconds(1) : LongestSleep;
    }

    [LoggerMessage(LogLevel.Information, "Stopping; {Running} jobs will go on after the next start")]
    private partial void LogStopping(int running);

    [LoggerMessage(LogLevel.Error, "{Job} could not be moved on")]
    private partial void LogRunnerBroke(Exception error, JobId job);
}
