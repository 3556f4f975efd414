using System.Diagnostics;
using Drella.Core.Journal;

namespace Drella.Daemon;

/// <summary>
/// Kills this very process, as a power cut would, at one named point: <c>journal:KIND:N</c> dies after the N-th durable append of that kind of
/// entry, <c>before:KIND:N</c> just before it. For crash tests; set by the environment variable <c>DRELLA_FAILPOINT</c> and by nothing else.
/// </summary>
internal sealed class Failpoint(string point)
{
    private readonly Lock gate = new();
    private int left = point.Split(':') is [_, _, var count] ? int.Parse(count, System.Globalization.CultureInfo.InvariantCulture) : 1;

    private string When { get; } = point.Split(':')[0];

    private string Kind { get; } = point.Split(':') is [_, var kind, ..] ? kind : "";

    /// <summary>Wraps a journal so that the point is met in it.</summary>
    public IJournal Around(IJournal journal) => new Watched(journal, this);

    private void Meet(string when, IReadOnlyList<NewEntry> entries)
    {
        if (when != When)
        {
            return;
        }

        lock (gate)
        {
            left -= entries.Count(entry => entry.Kind == Kind);
            if (left <= 0)
            {
                using var self = Process.GetCurrentProcess();
                self.Kill();
            }
        }
    }

    private sealed class Watched(IJournal inner, Failpoint point) : IJournal
    {
        public async Task<IReadOnlyList<Entry>> AppendAsync(StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
        {
            point.Meet("before", entries);
            var kept = await inner.AppendAsync(stream, after, entries, cancellationToken);
            point.Meet("journal", entries);
            return kept;
        }

        public IAsyncEnumerable<Entry> ReadAsync(StreamId stream, long after, CancellationToken cancellationToken) => inner.ReadAsync(stream, after, cancellationToken);

        public IAsyncEnumerable<Entry> FollowAsync(StreamId stream, long after, CancellationToken cancellationToken) => inner.FollowAsync(stream, after, cancellationToken);

        public IAsyncEnumerable<Entry> ReadAllAsync(string prefix, CancellationToken cancellationToken) => inner.ReadAllAsync(prefix, cancellationToken);

        public Task<ChainReport> VerifyAsync(StreamId? stream, CancellationToken cancellationToken) => inner.VerifyAsync(stream, cancellationToken);
    }
}
