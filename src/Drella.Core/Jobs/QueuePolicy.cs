namespace Drella.Core.Jobs;

/// <summary>Caps on jobs that hold a sandbox at the same time. Counts, at least 1.</summary>
public sealed record QueueCaps(int Global, int PerRepository, int PerAuthor);

/// <summary>Who goes next. Pure.</summary>
public static class QueuePolicy
{
    /// <summary>
    /// The jobs to start now, in order. What was begun goes before what is new; then priority; then the author with the least at work; then age.
    /// A job waits while a job of the same source may go on, or while something it depends on is not merged.
    /// </summary>
    public static IReadOnlyList<Job> Pick(IReadOnlyCollection<Job> jobs, IReadOnlySet<JobId> running, QueueCaps caps, DateTimeOffset now)
    {
        var picked = jobs.Where(job => !running.Contains(job.Id) && JobMachine.IsRunnable(job, now) && !JobPlan.NeedsSlot(job.Step!.Value)).ToList();
        var floor = jobs.Where(job => running.Contains(job.Id) && HoldsSlot(job)).ToList();
        var merged = jobs.Where(job => job.Conclusion == JobConclusion.Merged).Select(job => job.Request.Source.Key).ToHashSet();
        var waiting = jobs.Where(job => !running.Contains(job.Id) && IsReady(job, jobs, merged, now)).ToList();
        while (floor.Count < caps.Global && waiting.Count > 0)
        {
            var next = waiting
                .Where(job => floor.Count(other => other.Request.RepoName == job.Request.RepoName) < caps.PerRepository)
                .Where(job => floor.Count(other => other.Request.Source.Author == job.Request.Source.Author) < caps.PerAuthor)
                .OrderByDescending(job => job.Phase != JobPhase.Queued)
                .ThenByDescending(job => job.Request.Priority)
                .ThenBy(job => floor.Count(other => other.Request.Source.Author == job.Request.Source.Author))
                .ThenBy(job => job.OpenedAt)
                .ThenBy(job => job.Id.Value, StringComparer.Ordinal)
                .FirstOrDefault();
            if (next is null)
            {
                break;
            }

            waiting.Remove(next);
            floor.Add(next);
            picked.Add(next);
        }

        return picked;
    }

    /// <summary>True while the job is at work, or is left to people with its pull request open: what it has begun may still be finished.</summary>
    public static bool MayGoOn(Job job) => job.Conclusion is null or JobConclusion.Failed or JobConclusion.NeedsHuman;

    /// <summary>The sources that a queued job waits for; empty when none.</summary>
    public static IReadOnlyList<string> Blockers(Job job, IEnumerable<Job> jobs)
    {
        var all = jobs.ToList();
        var merged = all.Where(other => other.Conclusion == JobConclusion.Merged).Select(other => other.Request.Source.Key).ToHashSet();
        return [.. job.Request.DependsOn.Where(key => !merged.Contains(key))];
    }

    /// <summary>The chain by which a source would come to depend on itself; null when it does not.</summary>
    /// <param name="source">Key of the new source.</param>
    /// <param name="dependsOn">What it depends on.</param>
    /// <param name="known">What the known sources depend on.</param>
    public static IReadOnlyList<string>? FindCycle(string source, IReadOnlyList<string> dependsOn, IReadOnlyDictionary<string, IReadOnlyList<string>> known)
    {
        var seen = new HashSet<string>();
        var trail = new Stack<(string Key, IReadOnlyList<string> Path)>(dependsOn.Select(key => (key, (IReadOnlyList<string>)[source, key])));
        while (trail.TryPop(out var at))
        {
            if (at.Key == source)
            {
                return at.Path;
            }

            if (seen.Add(at.Key))
            {
                foreach (var next in known.GetValueOrDefault(at.Key, []))
                {
                    trail.Push((next, [.. at.Path, next]));
                }
            }
        }

        return null;
    }

    private static bool HoldsSlot(Job job) => job.Phase == JobPhase.Queued || (job.Step is { } step && JobPlan.NeedsSlot(step));

    private static bool IsReady(Job job, IEnumerable<Job> jobs, HashSet<string> merged, DateTimeOffset now)
    {
        if (job.Phase != JobPhase.Queued)
        {
            return JobMachine.IsRunnable(job, now) && JobPlan.NeedsSlot(job.Step!.Value);
        }

        return job.Request.DependsOn.All(merged.Contains)
            && !jobs.Any(other => other.Id != job.Id && other.Request.Source.Key == job.Request.Source.Key && IsInTheWay(other, job));
    }

    private static bool IsInTheWay(Job other, Job job) =>
        other.Phase == JobPhase.Queued
            ? other.OpenedAt < job.OpenedAt || (other.OpenedAt == job.OpenedAt && string.CompareOrdinal(other.Id.Value, job.Id.Value) < 0)
            : MayGoOn(other) || other.Step is not null;
}
