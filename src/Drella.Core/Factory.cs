using Drella.Core.Intake;
using Drella.Core.Jobs;
using Drella.Core.PullRequests;
using Drella.Core.Reviews;
using Drella.Core.Sandboxes;
using Drella.Core.Specs;
using Microsoft.Extensions.Logging;

namespace Drella.Core;

/// <summary>How often the loops look when nothing wakes them.</summary>
public sealed record Rhythm(TimeSpan Intake, TimeSpan Reviews, TimeSpan Sweep)
{
    public static Rhythm Default { get; } = new(TimeSpan.FromSeconds(30), TimeSpan.FromSeconds(30), TimeSpan.FromMinutes(5));
}

/// <summary>The factory at work: its loops, started together and ended together.</summary>
public sealed partial class Factory
{
    private readonly JobShelf shelf;
    private readonly Scheduler scheduler;
    private readonly IntakeWatch intake;
    private readonly ReviewWatch reviews;
    private readonly StatusReporter status;
    private readonly ISandboxHost sandboxes;
    private readonly FactorySettings settings;
    private readonly Rhythm rhythm;
    private readonly TimeProvider time;
    private readonly ILogger<Factory> logger;
    private readonly Signal intakeSignal = new();
    private readonly Signal reviewSignal = new();

    internal Factory(
        JobShelf shelf, Scheduler scheduler, IntakeWatch intake, ReviewWatch reviews, StatusReporter status, ISandboxHost sandboxes,
        FactorySettings settings, Rhythm rhythm, TimeProvider time, ILogger<Factory> logger)
    {
        this.shelf = shelf;
        this.scheduler = scheduler;
        this.intake = intake;
        this.reviews = reviews;
        this.status = status;
        this.sandboxes = sandboxes;
        this.settings = settings;
        this.rhythm = rhythm;
        this.time = time;
        this.logger = logger;
    }

    /// <summary>Looks early for orders and at pull requests: something outside has changed, or may have.</summary>
    public void Nudge()
    {
        intakeSignal.Raise();
        reviewSignal.Raise();
    }

    /// <summary>Resolves a spec that was handed in at the keyboard, by the rules of those that are merged.</summary>
    public Task<OrderResult> SubmitAsync(Spec spec, string text, string author, CancellationToken cancellationToken) =>
        intake.ResolveLocalAsync(spec, text, author, cancellationToken);

    /// <summary>
    /// Runs until cancelled. Folds the journal and ends sandboxes that belong to no job before anything else; a job that was at work goes on.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        // A world that fails here keeps nobody from working: the sweeping loop comes again.
        await LookOnceAsync(() => SweepAsync(cancellationToken), cancellationToken);
        await Task.WhenAll(
            scheduler.RunAsync(cancellationToken),
            LoopAsync(rhythm.Intake, intakeSignal, () => intake.LookAsync(cancellationToken), cancellationToken),
            LoopAsync(rhythm.Reviews, reviewSignal, () => LookAtPullRequestsAsync(cancellationToken), cancellationToken),
            LoopAsync(rhythm.Sweep, new Signal(), () => SweepAsync(cancellationToken), cancellationToken));
    }

    private async Task LookAtPullRequestsAsync(CancellationToken cancellationToken)
    {
        await reviews.LookAsync(time.GetUtcNow(), cancellationToken);
        foreach (var live in shelf.All.Where(live => live.Job is { Attempt: > 0 } and ({ IsStepOpen: false } or { Step: StepName.Work or StepName.Judge })).ToList())
        {
            await status.ReportAsync(live, cancellationToken);
        }
    }

    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        var now = time.GetUtcNow();
        var keep = new HashSet<SandboxName>();
        var standing = shelf.All.Where(live => live.Job is { Attempt: > 0, IsReleased: false }).ToList();
        var over = Keeping.Over(standing.Select(live => live.Job), settings, now);
        foreach (var live in standing)
        {
            if (over.Contains(live.Job.Id))
            {
                await live.RecordAsync(new JobEntry.SandboxReleased(Kept: false), cancellationToken);
            }
            else
            {
                keep.Add(Floor.NameOf(live.Job));
            }
        }

        foreach (var gone in await sandboxes.SweepAsync(keep, cancellationToken))
        {
            LogSwept(gone);
        }
    }

    private async Task LoopAsync(TimeSpan longest, Signal signal, Func<Task> look, CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            await LookOnceAsync(look, cancellationToken);
            try
            {
                await signal.WaitAsync(longest, time, cancellationToken);
            }
            catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task LookOnceAsync(Func<Task> look, CancellationToken cancellationToken)
    {
        try
        {
            await look();
        }
        catch (DriverException error)
        {
            LogLoop(error);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The loop that looks ends by itself.
        }
    }

    [LoggerMessage(LogLevel.Information, "Swept {What}")]
    private partial void LogSwept(string what);

    [LoggerMessage(LogLevel.Warning, "A look failed; the next one comes")]
    private partial void LogLoop(Exception error);
}
