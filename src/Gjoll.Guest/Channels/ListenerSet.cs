using System.Buffers.Binary;
using System.Text;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Channels;

/// <summary>
/// What the guest listens on for the forwards of the host, and what it dials for it. While no host is linked, connections wait in the kernel's queue;
/// when there are as many as may be, too.
/// </summary>
internal sealed unsafe class ListenerSet(Switchboard switchboard)
{
    private const int Backlog = 256;
    private const long PauseAfterFailure = 500;

    private readonly Dictionary<GuestListener, Listener> _listeners = [];

    /// <summary>Listens on exactly these; those that stay the same are not interrupted. Gives what could not be, in words.</summary>
    public IReadOnlyList<string> Set(IReadOnlyList<GuestListener> wanted)
    {
        foreach (var (place, listener) in _listeners.Where(pair => !wanted.Contains(pair.Key)).ToArray())
        {
            switchboard.Loop.Close(listener);
            _listeners.Remove(place);
            if (place.Path is { } path)
            {
                Unlink(path);
            }
        }

        List<string> failures = [];
        for (var index = 0; index < wanted.Count; index++)
        {
            if (_listeners.TryGetValue(wanted[index], out var known))
            {
                known.Forward = index;
                continue;
            }

            try
            {
                var listener = new Listener(this, index) { Descriptor = Listen(wanted[index]) };
                _listeners.Add(wanted[index], listener);
            }
            catch (SystemCallException failed)
            {
                failures.Add(failed.Message);
            }
        }

        Refresh();
        return failures;
    }

    /// <summary>Waits for connections exactly when they can be taken.</summary>
    public void Refresh()
    {
        var mayAccept = switchboard.IsLinked && switchboard.Opened < WireLimits.MaxChannels;
        foreach (var listener in _listeners.Values)
        {
            if (mayAccept && !listener.IsPaused)
            {
                switchboard.Loop.Watch(listener, Libc.EPOLLIN);
            }
            else
            {
                switchboard.Loop.Forget(listener);
            }
        }
    }

    /// <summary>Connects to a loopback port, and answers the channel when that is done.</summary>
    public void Dial(uint channel, int port)
    {
        if (port is < 1 or > ushort.MaxValue)
        {
            throw new RequestException(FailureCode.Invalid, "the port is not one");
        }

        var descriptor = Libc.socket(Libc.AF_INET, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (descriptor < 0)
        {
            throw new RequestException(FailureCode.Exhausted, $"make a socket: {Errno.Words(Errno.Last)}");
        }

        var address = Loopback(port);
        int error;
        fixed (byte* bytes = address)
        {
            error = Libc.connect(descriptor, bytes, (uint)address.Length) == 0 ? 0 : Errno.Last;
        }

        if (error is not (0 or Errno.EINPROGRESS))
        {
            _ = Libc.close(descriptor);
            throw new RequestException(FailureCode.Unavailable, $"connect to port {port}: {Errno.Words(error)}");
        }

        var dialling = new Dialling(switchboard, port) { Descriptor = descriptor };
        switchboard.Add(channel, dialling.Channel);
        switchboard.Loop.Watch(dialling, Libc.EPOLLOUT);
    }

    private static byte[] Loopback(int port)
    {
        var address = new byte[16];
        BinaryPrimitives.WriteUInt16LittleEndian(address, Libc.AF_INET);
        BinaryPrimitives.WriteUInt16BigEndian(address.AsSpan(2), (ushort)port);
        address[4] = 127;
        address[7] = 1;
        return address;
    }

    private static int Listen(GuestListener place)
    {
        byte[] address;
        string name;
        if (place is { Port: { } port, Path: null })
        {
            name = $"listen on port {port}";
            address = port is > 0 and <= ushort.MaxValue ? Loopback(port) : throw new SystemCallException(name, Errno.EINVAL);
        }
        else if (place is { Port: null, Path: { } path })
        {
            name = $"listen on {path}";
            address = [Libc.AF_UNIX, 0, .. Encoding.UTF8.GetBytes(path), 0];
            if (address.Length > 110 || !path.StartsWith('/') || path.Contains('\0', StringComparison.Ordinal))
            {
                throw new SystemCallException(name, Errno.EINVAL);
            }

            Unlink(path);
        }
        else
        {
            throw new SystemCallException("listen on nothing", Errno.EINVAL);
        }

        var descriptor = Libc.socket(place.Port is null ? Libc.AF_UNIX : Libc.AF_INET, Libc.SOCK_STREAM | Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC, 0);
        if (descriptor < 0)
        {
            throw new SystemCallException(name, Errno.Last);
        }

        var yes = 1;
        _ = Libc.setsockopt(descriptor, Libc.SOL_SOCKET, Libc.SO_REUSEADDR, &yes, sizeof(int));
        fixed (byte* bytes = address)
        {
            if (Libc.bind(descriptor, bytes, (uint)address.Length) != 0 || Libc.listen(descriptor, Backlog) != 0)
            {
                var error = Errno.Last;
                _ = Libc.close(descriptor);
                throw new SystemCallException(name, error);
            }
        }

        if (place.Path is not null)
        {
            // Any user of the guest may use a forward.
            fixed (byte* bytes = Utf8.Zero(place.Path))
            {
                _ = Libc.chmod(bytes, 0x1b6);
            }
        }

        return descriptor;
    }

    private static void Unlink(string path)
    {
        fixed (byte* bytes = Utf8.Zero(path))
        {
            _ = Libc.unlink(bytes);
        }
    }

    private void Accept(Listener listener)
    {
        const int Batch = 32;
        for (var count = 0; count < Batch && switchboard.IsLinked && switchboard.Opened < WireLimits.MaxChannels; count++)
        {
            var descriptor = Libc.accept4(listener.Descriptor, null, null, Libc.SOCK_NONBLOCK | Libc.SOCK_CLOEXEC);
            if (descriptor < 0)
            {
                if (Errno.Last is Errno.EMFILE or Errno.ENFILE or Errno.ENOMEM)
                {
                    // What could not be taken stays readable; waiting for it at once would spin.
                    listener.IsPaused = true;
                    switchboard.Loop.Timers.Start(PauseAfterFailure, () =>
                    {
                        listener.IsPaused = false;
                        Refresh();
                    });
                }

                break;
            }

            Tune(descriptor);
            switchboard.Open(new Connection(switchboard, descriptor, isOpen: false, Refresh), new ConnectRequest(listener.Forward));
        }

        Refresh();
    }

    private static void Tune(int descriptor)
    {
        var yes = 1;
        _ = Libc.setsockopt(descriptor, Libc.IPPROTO_TCP, Libc.TCP_NODELAY, &yes, sizeof(int));
    }

    private sealed class Listener(ListenerSet set, int forward) : Source
    {
        public int Forward { get; set; } = forward;

        public bool IsPaused { get; set; }

        public override void Ready(uint events) => set.Accept(this);
    }

    /// <summary>A connection that is being made.</summary>
    private sealed class Dialling : Source
    {
        private readonly Switchboard _switchboard;
        private readonly int _port;

        public Dialling(Switchboard switchboard, int port)
        {
            (_switchboard, _port) = (switchboard, port);
            Channel = new Pending(this);
        }

        public Channel Channel { get; }

        public override void Ready(uint events)
        {
            int error;
            uint length = sizeof(int);
            _ = Libc.getsockopt(Descriptor, Libc.SOL_SOCKET, Libc.SO_ERROR, &error, &length);
            var number = Channel.Number;
            _switchboard.Remove(Channel);
            if (error != 0)
            {
                _switchboard.Loop.Close(this);
                _switchboard.Answer(WireJson.Failure(number, FailureCode.Unavailable, $"connect to port {_port}: {Errno.Words(error)}"));
                return;
            }

            var descriptor = Descriptor;
            _switchboard.Loop.Forget(this);
            Descriptor = -1;
            Tune(descriptor);
            _switchboard.Answer(WireJson.Response(number, new WireResponse()));
            _switchboard.Add(number, new Connection(_switchboard, descriptor, isOpen: true, () => { }));
        }

        /// <summary>Nothing may be sent on it before it is answered.</summary>
        private sealed class Pending(Dialling dialling) : Channel
        {
            public override bool HasWork => false;

            public override bool Emit(Outbox outbox) => false;

            public override void Data(byte stream, ulong offset, ReadOnlySpan<byte> bytes) => throw TooEarly();

            public override void Acknowledged(byte stream, ulong offset) => throw TooEarly();

            public override void Ended(byte stream, ulong offset) => throw TooEarly();

            public override void Closed(bool byHost) => dialling._switchboard.Loop.Close(dialling);

            private static WireException TooEarly() => new("a stream began before its channel was answered");
        }
    }
}
