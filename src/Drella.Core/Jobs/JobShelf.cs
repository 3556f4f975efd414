using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
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
        var roles = new RolePool();
        var folded = new ConcurrentBag<Job>();

        // Streams do not depend on each other: some are folded while the next one is read.
        await Parallel.ForEachAsync(StreamsAsync(cancellationToken), cancellationToken, (stream, _) =>
        {
            folded.Add(Fold(stream, roles));
            return ValueTask.CompletedTask;
        });

        foreach (var job in folded.OrderBy(job => job.OpenedAt).ThenBy(job => job.Id.Value, StringComparer.Ordinal))
        {
            Put(job);
        }
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

    private async IAsyncEnumerable<List<Entry>> StreamsAsync([EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var stream = new List<Entry>();
        await foreach (var entry in journal.ReadAllAsync("job/", cancellationToken))
        {
            if (entry.Sequence == 1 && stream.Count > 0)
            {
                yield return stream;
                stream = [];
            }

            stream.Add(entry);
        }

        if (stream.Count > 0)
        {
            yield return stream;
        }
    }

    private static Job Fold(List<Entry> stream, RolePool roles)
    {
        var first = stream[0];
        var opening = JobEntryCodec.Decode(first);
        if (opening is JobEntry.Opened opened)
        {
            opening = new JobEntry.Opened(opened.Request with { Pipeline = roles.Share(opened.Request.Pipeline) });
        }

        var job = JobFold.Open(new JobId(first.Stream.Value["job/".Length..]), opening, first.At)
            ?? throw new InvalidDataException($"{first.Stream} does not begin with the opening of a job");
        return stream.Skip(1).Aggregate(job, (state, entry) => JobFold.Apply(state, JobEntryCodec.Decode(entry), entry.At));
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
