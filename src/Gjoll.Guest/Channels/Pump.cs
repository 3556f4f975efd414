using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Channels;

/// <summary>
/// Moves bytes between a descriptor and the streams of a channel: a pipe has one of them, a terminal and a connection have both. A full stream stops
/// the reading, and so whoever writes at the other end.
/// </summary>
internal sealed unsafe class Pump(EventLoop loop, IPumpOwner owner, SendStream? from, ReceiveStream? to) : Source
{
    private bool _isQuiet;

    public static Pump Start(EventLoop loop, IPumpOwner owner, int descriptor, SendStream? from, ReceiveStream? to)
    {
        var pump = new Pump(loop, owner, from, to) { Descriptor = descriptor };
        pump.Refresh();
        return pump;
    }

    /// <summary>Nothing is read until <see cref="Wake"/>.</summary>
    public void Hold()
    {
        _isQuiet = true;
        Refresh();
    }

    public void Wake()
    {
        _isQuiet = false;
        Refresh();
    }

    public override void Ready(uint events)
    {
        if (to is { HasPending: true } && (events & (Libc.EPOLLOUT | Libc.EPOLLERR | Libc.EPOLLHUP)) != 0)
        {
            Write();
        }

        if (Descriptor >= 0 && from is { HasEnded: false } && (events & (Libc.EPOLLIN | Libc.EPOLLHUP | Libc.EPOLLERR)) != 0)
        {
            Read();
        }

        Refresh();
    }

    /// <summary>Tells the loop what is waited for. What waits for nothing is taken out, since a hangup would wake the loop without end.</summary>
    public void Refresh()
    {
        if (Descriptor < 0)
        {
            return;
        }

        var events = (from is { HasEnded: false } && !_isQuiet && from.Bytes.HasRoom ? Libc.EPOLLIN : 0) | (to is { HasPending: true } ? Libc.EPOLLOUT : 0);
        if (events == 0)
        {
            loop.Forget(this);
        }
        else
        {
            loop.Watch(this, events);
        }
    }

    public void Close() => loop.Close(this);

    private void Write()
    {
        if (!to!.Pump(Descriptor))
        {
            owner.ReaderGone(this);
        }
        else if (to.IsAtEnd)
        {
            owner.InputAtEnd(this);
        }

        owner.Moved();
    }

    private void Read()
    {
        var room = from!.Bytes.Room();
        if (room.IsEmpty)
        {
            return;
        }

        nint count;
        fixed (byte* target = room)
        {
            count = Libc.read(Descriptor, target, (nuint)room.Length);
        }

        var error = count < 0 ? Errno.Last : 0;
        from.Bytes.Commit((int)Math.Max(count, 0));
        if (count > 0)
        {
            owner.WasRead((int)count);
            owner.Moved();
        }
        else if (count == 0 || !Errno.IsAgain(error))
        {
            from.Finish();
            owner.WriterGone(this, error);
            owner.Moved();
        }
    }
}
