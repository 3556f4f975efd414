using System.Text;
using Gjoll.Guest.Channels;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Links;

/// <summary>
/// The stream of bytes to the host, made again for ever when it is cut. What comes is parsed and given to the <see cref="Session"/>; what the switchboard
/// has to send is written when the link takes it.
/// </summary>
internal sealed unsafe class HostLink
{
    private const long FirstRetry = 20;
    private const long LastRetry = 1000;

    /// <summary>So much is read before others have their turn.</summary>
    private const int ReadsInARow = 64;

    private readonly EventLoop _loop;
    private readonly LinkPlace _place;
    private readonly Session _session;
    private readonly Switchboard _switchboard;
    private readonly Log _log;
    private readonly FrameParser _parser = new();
    private readonly Outbox _outbox = new();
    private readonly CallbackSource _reader;
    private readonly CallbackSource _writer;
    private long _retry = FirstRetry;
    private bool _isBlocked;
    private bool _isAway;

    public HostLink(EventLoop loop, LinkPlace place, Session session, Switchboard switchboard, Log log)
    {
        (_loop, _place, _session, _switchboard, _log) = (loop, place, session, switchboard, log);
        _reader = new CallbackSource(Ready);
        _writer = place is LinkPlace.Stdio ? new CallbackSource(Ready) : _reader;
    }

    private bool IsOpen => _reader.Descriptor >= 0;

    /// <exception cref="SystemCallException">The place cannot be one of a link.</exception>
    public void Start()
    {
        switch (_place)
        {
            case LinkPlace.Stdio:
                _reader.Descriptor = 0;
                _writer.Descriptor = 1;
                Descriptors.MakeNonBlocking(0);
                Descriptors.MakeNonBlocking(1);
                Refresh();
                break;
            case LinkPlace.Device device:
                _reader.Descriptor = Descriptors.Open(device.Path, Libc.O_RDWR | Libc.O_NONBLOCK | Libc.O_NOCTTY);
                Refresh();
                break;
            case LinkPlace.Socket:
                Connect();
                break;
        }
    }

    /// <summary>Writes all that the link takes now. Called after each batch of events.</summary>
    public void Flush()
    {
        if (!IsOpen || _isAway)
        {
            return;
        }

        while (!_isBlocked)
        {
            if (_outbox.Pending.IsEmpty)
            {
                _switchboard.Fill(_outbox);
                if (_outbox.Pending.IsEmpty)
                {
                    break;
                }
            }

            nint count;
            var pending = _outbox.Pending;
            fixed (byte* source = pending)
            {
                count = Libc.write(_writer.Descriptor, source, (nuint)pending.Length);
            }

            if (count >= 0)
            {
                _outbox.Written((int)count);
            }
            else if (Errno.Last is var error && error == Errno.EAGAIN)
            {
                _isBlocked = true;
            }
            else if (error != Errno.EINTR)
            {
                Lost(null);
                return;
            }
        }

        Refresh();
    }

    private void Ready(uint events)
    {
        if (_isAway)
        {
            if ((events & Libc.EPOLLHUP) == 0)
            {
                _isAway = false;
                Refresh();
            }

            return;
        }

        if ((events & Libc.EPOLLOUT) != 0)
        {
            _isBlocked = false;
        }

        if ((events & (Libc.EPOLLIN | Libc.EPOLLHUP | Libc.EPOLLERR)) == 0)
        {
            return;
        }

        try
        {
            Read();
        }
        catch (WireException broken)
        {
            _log.Write($"the link is ended: {broken.Message}");
            Lost(broken);
        }
    }

    private void Read()
    {
        for (var reads = 0; reads < ReadsInARow && IsOpen && !_switchboard.IsFull; reads++)
        {
            var free = _parser.Free().Span;
            nint count;
            fixed (byte* target = free)
            {
                count = Libc.read(_reader.Descriptor, target, (nuint)free.Length);
            }

            var error = count < 0 ? Errno.Last : 0;
            if (error == Errno.EAGAIN)
            {
                return;
            }

            if (error != Errno.EINTR)
            {
                if (count <= 0)
                {
                    Lost(null);
                    return;
                }

                _parser.Advance((int)count);
                while (TryRead(out var frame))
                {
                    _session.Handle(frame);
                }

                if (count < free.Length && _place is not LinkPlace.Device)
                {
                    return;
                }
            }
        }
    }

    private bool TryRead(out Frame frame)
    {
        while (true)
        {
            try
            {
                return _parser.TryRead(out frame);
            }
            catch (WireException) when (!_switchboard.IsLinked)
            {
                // Before the handshake anything may come; the greeting is behind it.
                _parser.Realign();
            }
        }
    }

    private void Lost(WireException? broken)
    {
        _session.LinkLost();
        _parser.Reset();
        _isBlocked = false;
        switch (_place)
        {
            case LinkPlace.Stdio:
                _loop.Stop();
                break;
            case LinkPlace.Device when broken is null:
                // A hangup would wake the loop without end; the edge when the host comes is told all the same.
                _isAway = true;
                _loop.Watch(_reader, Libc.EPOLLIN | Libc.EPOLLET);
                _loop.Timers.Start(LastRetry, LookForHost);
                break;
            case LinkPlace.Device:
                // A frame that is half written is finished: the host would take what follows for its rest.
                break;
            case LinkPlace.Socket:
                _outbox.Clear();
                _loop.Close(_reader);
                _loop.Timers.Start(_retry, Connect);
                _retry = Math.Min(_retry * 2, LastRetry);
                break;
        }
    }

    /// <summary>For the kernel that does not tell the edge.</summary>
    private void LookForHost()
    {
        if (!_isAway)
        {
            return;
        }

        const short Hangup = 0x10;
        var entry = new PollEntry { Descriptor = _reader.Descriptor, Events = 1 };
        if (Libc.poll(&entry, 1, 0) >= 0 && (entry.Happened & Hangup) == 0)
        {
            _isAway = false;
            Refresh();
        }
        else
        {
            _loop.Timers.Start(LastRetry, LookForHost);
        }
    }

    private void Connect()
    {
        var path = ((LinkPlace.Socket)_place).Path;
        byte[] address = [Libc.AF_UNIX, 0, .. Encoding.UTF8.GetBytes(path), 0];
        var descriptor = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        var isConnected = false;
        if (descriptor >= 0)
        {
            fixed (byte* bytes = address)
            {
                isConnected = Libc.connect(descriptor, bytes, (uint)address.Length) == 0;
            }
        }

        if (!isConnected)
        {
            Descriptors.Close(ref descriptor);
            _loop.Timers.Start(_retry, Connect);
            _retry = Math.Min(_retry * 2, LastRetry);
            return;
        }

        _reader.Descriptor = descriptor;
        _retry = FirstRetry;
        Refresh();
    }

    private void Refresh()
    {
        if (!IsOpen || _isAway)
        {
            return;
        }

        var read = _switchboard.IsFull ? 0 : Libc.EPOLLIN;
        var write = _isBlocked ? Libc.EPOLLOUT : 0;
        if (_reader == _writer)
        {
            _loop.Watch(_reader, read | write);
            return;
        }

        _loop.Watch(_reader, read);
        if (write != 0)
        {
            _loop.Watch(_writer, write);
        }
        else
        {
            _loop.Forget(_writer);
        }
    }
}
