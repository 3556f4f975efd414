using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Testing.Fakes;

/// <summary>
/// A journal in memory that keeps the port's contract: deterministic, every append and read done when the call returns. Its content
/// outlives whoever uses it, so a simulated crash is: drop the user, make a new one on the same journal.
/// </summary>
public sealed class MemoryJournal(TimeProvider time) : IJournal
{
    private const int MostPayload = 1 << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<StreamId, List<Entry>> _streams = [];
    private readonly List<StreamId> _order = [];
    private readonly List<(StreamId Stream, Channel<bool> Signal)> _followers = [];

    /// <summary>Asked for each entry of an append, in order, before any of it is kept; the first answer that is not <see cref="AppendFate.Kept"/> decides.</summary>
    public Func<StreamId, NewEntry, AppendFate>? Fate { get; set; }

    /// <summary>Entries in all streams.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _streams.Values.Sum(entries => entries.Count);
            }
        }
    }

    public Task<IReadOnlyList<Entry>> AppendAsync(
        StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        try
        {
            return Task.FromResult<IReadOnlyList<Entry>>(Append(stream, after, entries, cancellationToken));
        }
        catch (DriverException refused)
        {
            return Task.FromException<IReadOnlyList<Entry>>(refused);
        }
        catch (SimulatedCrashException crash)
        {
            return Task.FromException<IReadOnlyList<Entry>>(crash);
        }
    }

    public async IAsyncEnumerable<Entry> ReadAsync(StreamId stream, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(after);
        await Task.CompletedTask;
        foreach (var entry in Snapshot(stream).Skip((int)Math.Min(after, int.MaxValue)))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return entry;
        }
    }

    public async IAsyncEnumerable<Entry> FollowAsync(StreamId stream, long after, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var follower = (stream, Signal: Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite }));
        lock (_gate)
        {
            _followers.Add(follower);
        }

        try
        {
            while (true)
            {
                await foreach (var entry in ReadAsync(stream, after, cancellationToken))
                {
                    yield return entry;
                    after = entry.Sequence;
                }

                await follower.Signal.Reader.ReadAsync(cancellationToken);
            }
        }
        finally
        {
            lock (_gate)
            {
                _followers.Remove(follower);
            }
        }
    }

    public async IAsyncEnumerable<Entry> ReadAllAsync(string prefix, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        await Task.CompletedTask;
        List<StreamId> streams;
        lock (_gate)
        {
            streams = [.. _order.Where(stream => stream.Value.StartsWith(prefix, StringComparison.Ordinal))];
        }

        foreach (var entry in streams.SelectMany(Snapshot))
        {
            cancellationToken.ThrowIfCancellationRequested();
            yield return entry;
        }
    }

    public Task<ChainReport> VerifyAsync(StreamId? stream, CancellationToken cancellationToken)
    {
        List<StreamId> streams;
        lock (_gate)
        {
            streams = stream is { } one ? [.. _order.Where(known => known == one)] : [.. _order];
        }

        var entries = 0L;
        BrokenLink? bad = null;
        foreach (var known in streams)
        {
            var previous = HashChain.Genesis;
            foreach (var entry in Snapshot(known))
            {
                bad ??= HashChain.Holds(entry, previous.Span) ? null : new BrokenLink(known, entry.Sequence, "the hash does not hold");
                previous = entry.Hash;
                entries++;
            }
        }

        return Task.FromResult(new ChainReport(streams.Count, entries, bad));
    }

    private Entry[] Append(StreamId stream, long? after, IReadOnlyList<NewEntry> entries, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        Check(stream, entries);
        lock (_gate)
        {
            var kept = _streams.GetValueOrDefault(stream) ?? [];
            if (after is { } expected && expected != kept.Count)
            {
                throw new DriverException(isTransient: false, $"{stream} is at sequence {kept.Count}, not at {expected}.") { Failure = DriverFailure.Conflict };
            }

            var fate = entries.Select(entry => Fate?.Invoke(stream, entry) ?? AppendFate.Kept).FirstOrDefault(fate => fate != AppendFate.Kept);
            switch (fate)
            {
                case AppendFate.CrashBefore:
                    throw new SimulatedCrashException($"Crash before an append to {stream}.");
                case AppendFate.DiskFull:
                    throw new DriverException(isTransient: true, "The simulated disk is full.") { Failure = DriverFailure.Exhausted };
            }

            var added = Link(stream, kept, entries);
            if (_streams.TryAdd(stream, kept))
            {
                _order.Add(stream);
            }

            kept.AddRange(added);
            foreach (var (_, signal) in _followers.Where(follower => follower.Stream == stream))
            {
                signal.Writer.TryWrite(true);
            }

            return fate == AppendFate.CrashAfter ? throw new SimulatedCrashException($"Crash after an append to {stream}.") : added;
        }
    }

    private Entry[] Link(StreamId stream, List<Entry> kept, IReadOnlyList<NewEntry> entries)
    {
        var at = DateTimeOffset.FromUnixTimeMilliseconds(time.GetUtcNow().ToUnixTimeMilliseconds());
        var previous = kept.Count == 0 ? HashChain.Genesis : kept[^1].Hash;
        var added = new Entry[entries.Count];
        for (var index = 0; index < added.Length; index++)
        {
            var (kind, version, payload) = entries[index];
            var sequence = kept.Count + index + 1L;
            var hash = HashChain.Compute(previous.Span, stream, sequence, at, kind, version, payload.Span);
            added[index] = new Entry(stream, sequence, at, kind, version, payload.ToArray(), previous, hash);
            previous = hash;
        }

        return added;
    }

    private Entry[] Snapshot(StreamId stream)
    {
        lock (_gate)
        {
            return _streams.TryGetValue(stream, out var entries) ? [.. entries] : [];
        }
    }

    private static void Check(StreamId stream, IReadOnlyList<NewEntry> entries)
    {
        ArgumentOutOfRangeException.ThrowIfZero(entries.Count);
        var isWrong = string.IsNullOrEmpty(stream.Value)
            || stream.Value.Any(char.IsControl)
            || entries.Any(entry => string.IsNullOrEmpty(entry.Kind) || entry.Version < 1 || entry.Payload.Length is 0 or > MostPayload);
        if (isWrong)
        {
            throw new DriverException(isTransient: false, $"An append to {stream} is not well formed.") { Failure = DriverFailure.Invalid };
        }
    }
}
