using Drella.Core.Journal;

namespace Drella.Testing.Fakes;

/// <summary>The journal as one life of the daemon sees it: a simulated crash in an append ends the life, and a dead one hears nothing more.</summary>
public sealed class LivingJournal(IJournal inner, Life life) : IJournal
{
    public async Task<IReadOnlyList<Entry>> AppendAsync(StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        if (!life.IsOver)
        {
            try
            {
                return await inner.AppendAsync(stream, after, entries, cancellationToken);
            }
            catch (SimulatedCrashException)
            {
                life.End();
            }
        }

        return await Life.Never<IReadOnlyList<Entry>>();
    }

    public IAsyncEnumerable<Entry> ReadAsync(StreamId stream, long after, CancellationToken cancellationToken) => inner.ReadAsync(stream, after, cancellationToken);

    public IAsyncEnumerable<Entry> FollowAsync(StreamId stream, long after, CancellationToken cancellationToken) => inner.FollowAsync(stream, after, cancellationToken);

    public IAsyncEnumerable<Entry> ReadAllAsync(string prefix, CancellationToken cancellationToken) => inner.ReadAllAsync(prefix, cancellationToken);

    public Task<ChainReport> VerifyAsync(StreamId? stream, CancellationToken cancellationToken) => inner.VerifyAsync(stream, cancellationToken);
}
