using System.Threading.Channels;
using Drella.Core.Agents;
using Drella.Core.Journal;

namespace Drella.Core.Jobs;

/// <summary>
/// One job in memory and the only place where it changes: a fact is decided, journalled and folded under one lock, in that order,
/// so that what is in memory is durable. Thread-safe.
/// </summary>
public sealed class LiveJob(IJournal journal, TimeProvider time, Job job) : IDisposable
{
    private readonly SemaphoreSlim gate = new(1, 1);
    private readonly Lock stepLock = new();
    private volatile Job job = job;
    private (StepName Step, CancellationTokenSource Cut)? running;

    /// <summary>Raised after each change, outside the lock, on the thread that made it. Handlers must not block.</summary>
    public event Action<LiveJob>? Changed;

    /// <summary>The job as it is now.</summary>
    public Job Job => job;

    /// <summary>Messages to the agent at work; bounded, the oldest goes first.</summary>
    public Channel<AgentControl> Control { get; } =
        Channel.CreateBounded<AgentControl>(new BoundedChannelOptions(64) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>Forgets what an earlier run was told and did not hear; what a person said is kept for the next.</summary>
    public void ForgetOldWords()
    {
        for (var left = Control.Reader.Count; left > 0 && Control.Reader.TryRead(out var word); left--)
        {
            if (word is AgentControl.Steer { IsOfOneRun: false })
            {
                Control.Writer.TryWrite(word);
            }
        }
    }

    /// <summary>Puts the tool calls of this job in order; held while one is carried out.</summary>
    public SemaphoreSlim Desk { get; } = new(1, 1);

    /// <summary>Held while the status comment is looked for and written: two that look at once would both find none.</summary>
    public SemaphoreSlim Words { get; } = new(1, 1);

    /// <summary>Tells the job a fact. Returns the entries it led to, durable; empty when the fact changed nothing.</summary>
    public async Task<IReadOnlyList<JobEntry>> TellAsync(JobFact fact, CancellationToken cancellationToken)
    {
        await gate.WaitAsync(cancellationToken);
        IReadOnlyList<JobEntry> entries;
        try
        {
            entries = JobMachine.Decide(job, fact, time.GetUtcNow());
            if (entries.Count == 0)
            {
                return entries;
            }

            // Once begun the append is not given up: memory and journal must not part.
            var kept = await journal.AppendAsync(job.Id.Stream, job.Sequence, [.. entries.Select(JobEntryCodec.Encode)], CancellationToken.None);
            job = entries.Zip(kept).Aggregate(job, (state, pair) => JobFold.Apply(state, pair.First, pair.Second.At));
        }
        finally
        {
            gate.Release();
        }

        CutStaleStep();
        Changed?.Invoke(this);
        return entries;
    }

    /// <summary>Records an entry that needs no decision.</summary>
    public Task RecordAsync(JobEntry entry, CancellationToken cancellationToken) => TellAsync(new JobFact.Happened(entry), cancellationToken);

    /// <summary>Marks a step as running, so that it is cut when the job moves away from it. Dispose the result when it has ended.</summary>
    public IDisposable Running(StepName step, CancellationTokenSource cut)
    {
        lock (stepLock)
        {
            running = (step, cut);
        }

        CutStaleStep();
        return new Release(this);
    }

    public void Dispose()
    {
        gate.Dispose();
        Desk.Dispose();
        Words.Dispose();
    }

    private void CutStaleStep()
    {
        lock (stepLock)
        {
            var now = job;
            if (running is { } step && (now.Step != step.Step || !now.IsStepOpen || (now.Cancel is not null && now.Conclusion is null)))
            {
                step.Cut.Cancel();
            }
        }
    }

    private sealed class Release(LiveJob owner) : IDisposable
    {
        public void Dispose()
        {
            lock (owner.stepLock)
            {
                owner.running = null;
            }
        }
    }
}
