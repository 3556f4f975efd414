using System.Threading.Channels;
using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Wakes those who follow a stream when it has grown. A signal says "look again", never what there is to see.</summary>
internal sealed class StreamSignals : IDisposable
{
    private readonly Lock _gate = new();
    private readonly Dictionary<StreamId, List<Channel<bool>>> _followers = [];
    private bool _isDisposed;

    /// <summary>Subscriptions that are held now.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _followers.Values.Sum(followers => followers.Count);
            }
        }
    }

    /// <summary>From the return of this call on, no growth goes unsignalled.</summary>
    public Subscription Subscribe(StreamId stream)
    {
        // One pending signal is enough, however often the stream grows while its follower reads.
        var channel = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        lock (_gate)
        {
            ObjectDisposedException.ThrowIf(_isDisposed, typeof(SqliteJournalStore));
            if (!_followers.TryGetValue(stream, out var followers))
            {
                _followers.Add(stream, followers = []);
            }

            followers.Add(channel);
        }

        return new Subscription(this, stream, channel);
    }

    public void Raise(StreamId stream)
    {
        lock (_gate)
        {
            if (_followers.TryGetValue(stream, out var followers))
            {
                foreach (var follower in followers)
                {
                    follower.Writer.TryWrite(true);
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _isDisposed = true;
            foreach (var follower in _followers.Values.SelectMany(followers => followers))
            {
                follower.Writer.TryComplete();
            }
        }
    }

    private void Remove(StreamId stream, Channel<bool> channel)
    {
        lock (_gate)
        {
            if (_followers.TryGetValue(stream, out var followers) && followers.Remove(channel) && followers.Count == 0)
            {
                _followers.Remove(stream);
            }
        }
    }

    internal readonly struct Subscription(StreamSignals owner, StreamId stream, Channel<bool> channel) : IDisposable
    {
        /// <summary>Completes when the stream has grown since the last signal; throws when the journal is closed.</summary>
        public async ValueTask WaitAsync(CancellationToken cancellationToken)
        {
            if (!await channel.Reader.WaitToReadAsync(cancellationToken))
            {
                throw new ObjectDisposedException(nameof(SqliteJournalStore));
            }

            channel.Reader.TryRead(out _);
        }

        public void Dispose() => owner.Remove(stream, channel);
    }
}
