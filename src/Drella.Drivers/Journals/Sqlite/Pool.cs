using System.Collections.Concurrent;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>Keeps a few open readers for the next caller. Opens another when all are out, so that no reader waits for one.</summary>
internal sealed class Pool<T>(Func<T> open) : IDisposable
    where T : class, IDisposable
{
    private const int MostIdle = 8;

    private readonly ConcurrentBag<T> _idle = [];
    private volatile bool _isDisposed;

    public TResult Use<TResult>(Func<T, TResult> work)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, typeof(SqliteJournalStore));
        if (!_idle.TryTake(out var reader))
        {
            reader = open();
        }

        var isSound = false;
        try
        {
            var result = work(reader);
            isSound = true;
            return result;
        }
        finally
        {
            if (isSound && !_isDisposed && _idle.Count < MostIdle)
            {
                _idle.Add(reader);
            }
            else
            {
                reader.Dispose();
            }
        }
    }

    public void Dispose()
    {
        _isDisposed = true;
        while (_idle.TryTake(out var reader))
        {
            reader.Dispose();
        }
    }
}
