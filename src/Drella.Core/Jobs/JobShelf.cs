using System.Collections.Concurrent;
using System.Collections.Immutable;
using Drella.Core.Journal;

namespace Drella.Core.Jobs;

/// <summary>Every job of this factory, folded from the journal. Thread-safe.</summary>
public sealed class JobShelf(IJournal journal, TimeProvider time) : IDisposable
{
    private readonly ConcurrentDictionary<JobId, LiveJob> jobs = new();
    private ImmutableList<LiveJob> inOrder = [];
    private readonly SemaphoreSlim opening = new(1, 1);

    /// <summary>Raised when a job was opened or changed; see <see cref="LiveJob.Changed"/>.</summary>
    public event Action<LiveJob>? Changed;

    /// <summary>Every job, in the order in which they were opened; the same after a restart.</summary>
    public IReadOnlyList<LiveJob> All => Volatile.Read(ref inOrder);

    public LiveJob? Find(JobId id) => jobs.GetValueOrDefault(id);

    /// <summary>Folds every stream. Called once, before anything else.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        Job? job = null;
        await foreach (var entry in journal.ReadAllAsync("job/", cancellationToken))
        {
            var decoded = JobEntryCodec.Decode(entry);
            if (entry.Sequence == 1)
            {
                PutKnown(job);
                job = JobFold.Open(new JobId(entry.Stream.Value["job/".Length..]), decoded, entry.At)
                    ?? throw new InvalidDataException($"{entry.Stream} does not begin with the opening of a job");
            }
            else
            {
                job = JobFold.Apply(job!, decoded, entry.At);
            }
        }

        PutKnown(job);
    }

    /// <summary>Opens a job, or finds the one that this revision already has.</summary>
    public async Task<LiveJob> OpenAsync(JobRequest request, CancellationToken cancellationToken)
    {
        var id = request.Source.Job;
        await opening.WaitAsync(cancellationToken);
        LiveJob live;
        try
        {
            if (Find(id) is { } known)
            {
                return known;
            }

            var opened = new JobEntry.Opened(request);
            var kept = await journal.AppendAsync(id.Stream, 0, [JobEntryCodec.Encode(opened)], CancellationToken.None);
            live = Put(JobFold.Open(id, opened, kept[0].At)!);
        }
        finally
        {
            opening.Release();
        }

        Changed?.Invoke(live);
        return live;
    }

    public void Dispose()
    {
        opening.Dispose();
        foreach (var live in jobs.Values)
        {
            live.Dispose();
        }
    }

    private void PutKnown(Job? job)
    {
        if (job is not null)
        {
            Put(job);
        }
    }

    private LiveJob Put(Job job)
    {
        var live = new LiveJob(journal, time, job);
        live.Changed += changed => Changed?.Invoke(changed);
        jobs[job.Id] = live;
        ImmutableInterlocked.Update(ref inOrder, known => known.Add(live));
        return live;
    }
}
