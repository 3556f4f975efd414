using System.Runtime.InteropServices;

namespace Gjoll.Guest.Kernel;

/// <summary>The one thread's wait for descriptors and time. After each batch of events <see cref="AfterBatch"/> runs once, so that answers leave together.</summary>
internal sealed unsafe class EventLoop
{
    private const int BatchSize = 64;

    private readonly int _poll;
    private readonly Dictionary<int, Source> _sources = [];
    private uint _generation;

    public EventLoop()
    {
        _poll = Libc.epoll_create1(Libc.EPOLL_CLOEXEC);
        if (_poll < 0)
        {
            throw new SystemCallException("make the event queue", Errno.Last);
        }
    }

    public Timers Timers { get; } = new();

    public Action? AfterBatch { get; set; }

    public bool IsStopped { get; private set; }

    public void Stop() => IsStopped = true;

    /// <summary>Watches for exactly these events from now on; 0 leaves the descriptor known but quiet, except for hangups.</summary>
    public void Watch(Source source, uint events)
    {
        var isNew = source.Generation == 0;
        if (!isNew && source.Watched == events)
        {
            return;
        }

        if (isNew)
        {
            source.Generation = ++_generation;
            _sources[source.Descriptor] = source;
        }

        var what = new EpollEvent { Events = events, Token = ((ulong)source.Generation << 32) | (uint)source.Descriptor };
        if (Libc.epoll_ctl(_poll, isNew ? Libc.EPOLL_CTL_ADD : Libc.EPOLL_CTL_MOD, source.Descriptor, &what) != 0)
        {
            throw new SystemCallException("watch a descriptor", Errno.Last);
        }

        source.Watched = events;
    }

    /// <summary>Takes the descriptor out of the queue: not even a hangup is told any more.</summary>
    public void Forget(Source source)
    {
        if (source.Generation != 0)
        {
            _ = Libc.epoll_ctl(_poll, Libc.EPOLL_CTL_DEL, source.Descriptor, null);
            _sources.Remove(source.Descriptor);
            source.Generation = 0;
            source.Watched = 0;
        }
    }

    public void Close(Source source)
    {
        if (source.Descriptor >= 0)
        {
            Forget(source);
            _ = Libc.close(source.Descriptor);
            source.Descriptor = -1;
        }
    }

    public void Run()
    {
        var events = stackalloc EpollEvent[BatchSize];
        while (!IsStopped)
        {
            Timers.RunDue();
            AfterBatch?.Invoke();
            if (IsStopped)
            {
                break;
            }

            var count = Libc.epoll_wait(_poll, events, BatchSize, Timers.Wait());
            if (count < 0 && Marshal.GetLastPInvokeError() != Errno.EINTR)
            {
                throw new SystemCallException("wait for events", Marshal.GetLastPInvokeError());
            }

            for (var index = 0; index < count; index++)
            {
                var token = events[index].Token;
                if (_sources.TryGetValue((int)(uint)token, out var source) && source.Generation == token >> 32)
                {
                    source.Ready(events[index].Events);
                }
            }
        }
    }
}
