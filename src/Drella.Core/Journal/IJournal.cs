namespace Drella.Core.Journal;

/// <summary>
/// The durable record. One writer process; any number of concurrent callers. An append that has completed survives the loss of power.
/// Errors: <see cref="DriverException"/>, with <see cref="DriverFailure.Conflict"/> when <c>after</c> is not the stream's last sequence
/// and <see cref="DriverFailure.Exhausted"/> when the disk is full; after an error nothing of the batch was kept.
/// </summary>
public interface IJournal
{
    /// <summary>
    /// Appends the entries, in order and all or nothing, and completes when they are durable.
    /// </summary>
    /// <param name="stream">The stream; it comes into being with its first entry.</param>
    /// <param name="after">The last sequence the caller has seen (0 for none), or null to append wherever the stream stands.</param>
    /// <param name="entries">One or more.</param>
    /// <param name="cancellationToken">Gives up waiting; the entries may still be kept.</param>
    /// <returns>The entries with their places, times and hashes.</returns>
    Task<IReadOnlyList<Entry>> AppendAsync(StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken);

    /// <summary>Reads a stream in order, starting behind <paramref name="after"/>, up to what is durable now.</summary>
    IAsyncEnumerable<Entry> ReadAsync(StreamId stream, long after, CancellationToken cancellationToken);

    /// <summary>Like <see cref="ReadAsync"/>, then goes on with each entry that becomes durable, until cancelled. No entry is skipped or doubled.</summary>
    IAsyncEnumerable<Entry> FollowAsync(StreamId stream, long after, CancellationToken cancellationToken);

    /// <summary>Reads every stream whose name starts with <paramref name="prefix"/>; entries of one stream come together and in order.</summary>
    IAsyncEnumerable<Entry> ReadAllAsync(string prefix, CancellationToken cancellationToken);

    /// <summary>Checks the chain of one stream, or of all when null.</summary>
    Task<ChainReport> VerifyAsync(StreamId? stream, CancellationToken cancellationToken);
}

/// <summary>What a check of the chain found.</summary>
/// <param name="Streams">Streams looked at.</param>
/// <param name="Entries">Entries looked at.</param>
/// <param name="FirstBad">The first entry whose chain does not hold, or null when all hold.</param>
public sealed record ChainReport(long Streams, long Entries, BrokenLink? FirstBad);

/// <summary>Where a chain breaks.</summary>
public sealed record BrokenLink(StreamId Stream, long Sequence, string What);
