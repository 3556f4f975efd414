using System.Diagnostics.CodeAnalysis;
using Drella.Core.Steps;
using Microsoft.Extensions.Logging;

namespace Drella.Core.Jobs;

/// <summary>Runs one job's steps, one after the other, until it has nothing to run. Nothing else runs a step.</summary>
internal sealed partial class JobRunner(IReadOnlyDictionary<StepName, IStep> steps, TimeProvider time, ILogger<JobRunner> logger)
{
    /// <summary>
    /// Goes on while a step is due. Returns when the job rests, waits for a retry, or needs a slot that it does not hold.
    /// Cancelling leaves the step open: it is run again after the restart.
    /// </summary>
    public async Task RunAsync(LiveJob live, CancellationToken cancellationToken)
    {
        using var scope = JobScope(logger, live.Job.Id);
        var hadSlot = live.Job.Step is null || JobPlan.NeedsSlot(live.Job.Step.Value);
        if (live.Job.Phase == JobPhase.Queued)
        {
            await live.TellAsync(new JobFact.Admit(), cancellationToken);
        }

        while (!cancellationToken.IsCancellationRequested && JobMachine.IsRunnable(live.Job, time.GetUtcNow()))
        {
            var step = live.Job.Step!.Value;
            if (JobPlan.NeedsSlot(step) && !hadSlot)
            {
                return;
            }

            hadSlot = JobPlan.NeedsSlot(step);
            if ((await live.TellAsync(new JobFact.StepBegins(step), cancellationToken)).Count == 0)
            {
                // Somebody moved the job on since we looked; we look again.
                continue;
            }

            var started = time.GetTimestamp();
            var outcome = await RunStepAsync(live, step, cancellationToken);
            LogStep(live.Job.Id, step, Describe(outcome), time.GetElapsedTime(started));
            await live.TellAsync(new JobFact.StepEnds(step, outcome), CancellationToken.None);
        }
    }

    [SuppressMessage("Design", "CA1031", Justification = "The step boundary: a fault of ours parks the job and leaves the daemon alive.")]
    private async Task<StepOutcome> RunStepAsync(LiveJob live, StepName step, CancellationToken cancellationToken)
    {
        var deadline = JobPlan.Deadline(live.Job, step);
        using var late = new CancellationTokenSource(deadline, time);
        using var cut = CancellationTokenSource.CreateLinkedTokenSource(late.Token, cancellationToken);
        using var running = live.Running(step, cut);
        try
        {
            return await steps[step].RunAsync(live, cut.Token);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            throw;
        }
        catch (OperationCanceledException) when (cut.IsCancellationRequested)
        {
            return new StepOutcome.Broken(late.IsCancellationRequested ? $"{step} did not end within {deadline}" : "interrupted", IsTransient: true, null);
        }
        catch (DriverException error)
        {
            LogBroken(error, live.Job.Id, step);
            return new StepOutcome.Broken(error.Message, error.IsTransient, error.NotBefore);
        }
        catch (Exception error)
        {
            LogFault(error, live.Job.Id, step);
            return new StepOutcome.Rejected(JobConclusion.Failed, $"{step} met a fault of the factory itself ({error.GetType().Name}); the daemon's log has it under {live.Job.Id}");
        }
    }

    private static readonly Func<ILogger, JobId, IDisposable?> JobScope = LoggerMessage.DefineScope<JobId>("{Job}");

    private static string Describe(StepOutcome outcome) => outcome switch
    {
        StepOutcome.Succeeded => "succeeded",
        StepOutcome.Revise revise => $"revise ({revise.Cause})",
        StepOutcome.Paused paused => $"paused: {paused.Why}",
        StepOutcome.Rejected rejected => $"{rejected.Conclusion}: {rejected.Reason}",
        StepOutcome.Broken broken => $"broken: {broken.Reason}",
        _ => outcome.GetType().Name,
    };

    [LoggerMessage(LogLevel.Information, "{Job} {Step} {Outcome} after {Elapsed}")]
    private partial void LogStep(JobId job, StepName step, string outcome, TimeSpan elapsed);

    [LoggerMessage(LogLevel.Warning, "{Job} {Step}: the world failed")]
    private partial void LogBroken(Exception error, JobId job, StepName step);

    [LoggerMessage(LogLevel.Error, "{Job} {Step}: a fault of ours")]
    private partial void LogFault(Exception error, JobId job, StepName step);
}
