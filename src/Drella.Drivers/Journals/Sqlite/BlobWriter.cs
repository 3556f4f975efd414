using System.Buffers;
using System.IO.Pipelines;
using Drella.Core;
using Drella.Core.Journal;

namespace Drella.Drivers.Journals.Sqlite;

/// <summary>
/// One open blob: a bounded pipe between its caller and the committer. After a failure it stays failed and what was not durable is
/// dropped; open the blob again and go on from its length.
/// </summary>
internal sealed class BlobWriter : IBlobWriter
{
    private const int Slice = 64 << 10;

    private readonly BlobCommitter _committer;
    private readonly Lock _gate = new();
    private readonly List<(long Upto, TaskCompletionSource Done)> _flushes = [];
    private readonly Pipe _pipe = new(new PipeOptions(
        pauseWriterThreshold: 1 << 20, resumeWriterThreshold: 512 << 10, minimumSegmentSize: Slice, useSynchronizationContext: false));

    private long _given;
    private long _durable;
    private int _isDue;
    private DriverException? _failure;
    private bool _isFailureTold;
    private bool _isDisposed;

    public BlobWriter(BlobCommitter committer, BlobId blob, long row, long length)
    {
        _committer = committer;
        Blob = blob;
        Row = row;
        _given = _durable = length;
    }

    public BlobId Blob { get; }

    /// <summary>The blob's row; 0 until it was made. The committer's.</summary>
    public long Row { get; set; }

    /// <summary>Where the next durable byte goes. The committer's.</summary>
    public long Durable => Volatile.Read(ref _durable);

    public async ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        cancellationToken.ThrowIfCancellationRequested();
        ThrowIfFailed();
        if (_given + bytes.Length > BlobKey.MaxLength)
        {
            throw new DriverException(isTransient: false, $"{Blob} would be larger than {BlobKey.MaxLength} bytes.") { Failure = DriverFailure.Invalid };
        }

        while (!bytes.IsEmpty)
        {
            var slice = bytes[..Math.Min(bytes.Length, Slice)];
            bytes = bytes[slice.Length..];
            _pipe.Writer.Write(slice.Span);
            Interlocked.Add(ref _given, slice.Length);
            var room = _pipe.Writer.FlushAsync(cancellationToken);
            Schedule();
            if ((await room).IsCompleted)
            {
                ThrowIfFailed();
            }
        }
    }

    public Task FlushAsync(CancellationToken cancellationToken)
    {
        ObjectDisposedException.ThrowIf(_isDisposed, this);
        return FlushCoreAsync(cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        try
        {
            // A caller that was told of the failure is not told again by the end of its using block.
            if (!_isFailureTold)
            {
                await FlushCoreAsync(CancellationToken.None);
            }
        }
        finally
        {
            await _pipe.Writer.CompleteAsync();
            _committer.Close(this);
        }
    }

    /// <summary>What waits to be made durable, or null. Called by the committer; ends with <see cref="Settle"/> or <see cref="Fail"/>.</summary>
    public ReadOnlySequence<byte>? Take()
    {
        Volatile.Write(ref _isDue, 0);
        return _failure is null && _pipe.Reader.TryRead(out var result) ? result.Buffer : null;
    }

    public void Settle(ReadOnlySequence<byte> taken)
    {
        List<TaskCompletionSource> done;
        lock (_gate)
        {
            _durable += taken.Length;
            done = [.. _flushes.Where(flush => flush.Upto <= _durable).Select(flush => flush.Done)];
            _flushes.RemoveAll(flush => flush.Upto <= _durable);
        }

        _pipe.Reader.AdvanceTo(taken.End);
        done.ForEach(flush => flush.TrySetResult());
    }

    public void Fail(DriverException failure)
    {
        List<TaskCompletionSource> waiting;
        lock (_gate)
        {
            if (_failure is not null)
            {
                return;
            }

            _failure = failure;
            waiting = [.. _flushes.Select(flush => flush.Done)];
            _flushes.Clear();
        }

        _pipe.Reader.Complete();
        _isFailureTold |= waiting.Count > 0;
        waiting.ForEach(flush => flush.TrySetException(failure));
    }

    private async Task FlushCoreAsync(CancellationToken cancellationToken)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        lock (_gate)
        {
            if (_failure is not null)
            {
                ThrowIfFailed();
            }

            if (_durable >= _given)
            {
                return;
            }

            _flushes.Add((_given, done));
        }

        Schedule();
        await done.Task.WaitAsync(cancellationToken);
    }

    private void Schedule()
    {
        if (Interlocked.Exchange(ref _isDue, 1) == 0)
        {
            _committer.Schedule(this);
        }
    }

    private void ThrowIfFailed()
    {
        if (_failure is { } failure)
        {
            _isFailureTold = true;
            throw new DriverException(failure.IsTransient, failure.Message, failure) { Failure = failure.Failure };
        }
    }
}
