using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>One caller's append on its way through the writer.</summary>
internal sealed class PendingAppend(StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
{
    private readonly TaskCompletionSource<IReadOnlyList<Entry>> _done = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<Entry>? _kept;
    private DriverException? _refusal;

    public StreamId Stream { get; } = stream;

    public long? After { get; } = after;

    public IReadOnlyList<NewEntry> Entries { get; } = entries;

    public long Bytes { get; } = entries.Sum(entry => (long)entry.Payload.Length);

    /// <summary>True when nobody waits any more and nothing was begun.</summary>
    public bool IsAbandoned => cancellationToken.IsCancellationRequested;

    public Task<IReadOnlyList<Entry>> Done => _done.Task;

    /// <summary>Written, but not yet durable: nothing is said to the caller before <see cref="Complete"/>.</summary>
    public void Keep(IReadOnlyList<Entry> entries) => _kept = entries;

    /// <summary>Refused, provided that what it was refused for becomes durable.</summary>
    public void Refuse(DriverException refusal) => _refusal = refusal;

    public void Complete()
    {
        if (_refusal is not null)
        {
            _done.TrySetException(_refusal);
        }
        else if (_kept is not null)
        {
            _done.TrySetResult(_kept);
        }
        else
        {
            _done.TrySetCanceled(cancellationToken);
        }
    }

    public void Fail(Exception failure) => _done.TrySetException(failure);
}
