using System.Globalization;
using Drella.Core.Jobs;

namespace Drella.Core.Sandboxes;

/// <summary>
/// Keeps the doors' decisions in the job's stream; those of nobody's sandbox are not kept, because nobody is there to answer for them.
/// A guest can knock without end: of the refusals of a minute the first are kept one by one and the rest as a number, and a door that
/// would open more often than a minute can hold stays shut.
/// </summary>
internal sealed class DoorAudit(JobShelf shelf, TimeProvider time) : IDoorAudit
{
    private const int RefusalsPerMinute = 120;
    private const int OpeningsPerMinute = 1200;
    private const int Watched = 10_000;
    private static readonly TimeSpan Window = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly Dictionary<JobId, Minute> minutes = [];

    public async Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken)
    {
        if (!JobId.TryParse(sandbox.Value.Split('-')[0], out var id) || shelf.Find(id) is not { } live)
        {
            return;
        }

        var (isKept, untold) = Count(id, decision.Allowed);
        if (untold > 0)
        {
            var text = untold.ToString(CultureInfo.InvariantCulture) + " more refusals in a minute";
            await live.RecordAsync(new JobEntry.DoorUsed(decision.Door, text, Allowed: false, "flood"), cancellationToken);
        }

        if (isKept)
        {
            await live.RecordAsync(new JobEntry.DoorUsed(decision.Door, decision.Target, decision.Allowed, decision.Rule), cancellationToken);
        }
        else if (decision.Allowed)
        {
            throw new DriverException(true, $"{sandbox} opens its doors too often") { Failure = DriverFailure.Exhausted };
        }
    }

    /// <summary>Whether the decision is kept, and how many refusals of the minute before were not.</summary>
    private (bool IsKept, int Untold) Count(JobId job, bool isOpening)
    {
        lock (gate)
        {
            var untold = 0;
            if (!minutes.TryGetValue(job, out var minute) || time.GetElapsedTime(minute.Began) >= Window)
            {
                untold = minute is null ? 0 : Math.Max(0, minute.Refusals - RefusalsPerMinute);
                if (minutes.Count >= Watched)
                {
                    // Minutes of jobs that are over; whoever still knocks begins a new one.
                    minutes.Clear();
                }

                minutes[job] = minute = new Minute(time.GetTimestamp());
            }

            return (isOpening ? ++minute.Openings <= OpeningsPerMinute : ++minute.Refusals <= RefusalsPerMinute, untold);
        }
    }

    private sealed class Minute(long began)
    {
        public long Began => began;

        public int Refusals { get; set; }

        public int Openings { get; set; }
    }
}
