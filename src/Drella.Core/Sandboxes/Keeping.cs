using Drella.Core.Jobs;

namespace Drella.Core.Sandboxes;

/// <summary>Decides whose sandbox has been kept long enough after the job's end. Pure.</summary>
internal static class Keeping
{
    /// <summary>Those of ended jobs that are past their time, or beyond the number that is kept: the ones that ended first.</summary>
    public static IReadOnlySet<JobId> Over(IEnumerable<Job> jobs, FactorySettings settings, DateTimeOffset now) => jobs
        .Where(job => job is { Conclusion: not null, Step: null, IsReleased: false })
        .OrderByDescending(job => job.ChangedAt)
        .Where((job, place) => job.ChangedAt + settings.KeepFailed < now || place >= settings.MaxKeptFailed)
        .Select(job => job.Id)
        .ToHashSet();
}
