using System.Text;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Links;

/// <summary>
/// Stands at the end of an SSH session and passes bytes between it and an agent that connects to a socket. The session may be cut at any time: the agent
/// lives on, keeps what it keeps, and connects to the next one that stands here.
/// </summary>
internal static unsafe class Relay
{
    private const int Buffer = 64 * 1024;

    /// <summary>Returns when either side has ended.</summary>
    /// <exception cref="SystemCallException">Nothing can listen there.</exception>
    public static void Run(string path)
    {
        var listener = Listen(path);
        var agent = Await(listener);
        Descriptors.Close(ref listener);
        if (agent < 0)
        {
            return;
        }

        // Two threads, since each direction may have to wait for the other end while the other one must go on.
        using var ended = new ManualResetEventSlim();
        foreach (var (from, to) in ((int, int)[])[(0, agent), (agent, 1)])
        {
            new Thread(() =>
            {
                Pass(from, to);
                ended.Set();
            }) { IsBackground = true }.Start();
        }

        ended.Wait();
    }

    private static int Listen(string path)
    {
        fixed (byte* name = Utf8.Zero(path))
        {
            _ = Libc.unlink(name);
        }

        byte[] address = [Libc.AF_UNIX, 0, .. Encoding.UTF8.GetBytes(path), 0];
        var listener = Libc.socket(Libc.AF_UNIX, Libc.SOCK_STREAM | Libc.SOCK_CLOEXEC, 0);
        fixed (byte* bytes = address)
        {
            if (listener < 0 || Libc.bind(listener, bytes, (uint)address.Length) != 0 || Libc.listen(listener, 1) != 0)
            {
                throw new SystemCallException($"listen on {path}", Errno.Last);
            }
        }

        return listener;
    }

    /// <summary>Negative when the session ended before an agent came.</summary>
    private static int Await(int listener)
    {
        const short Readable = 1;
        const short Hangup = 0x10;
        const int Session = 500;
        var entries = stackalloc PollEntry[2];
        while (true)
        {
            entries[0] = new PollEntry { Descriptor = listener, Events = Readable };
            // What the host says before an agent is there waits; only its going counts.
            entries[1] = new PollEntry { Descriptor = 0, Events = 0 };
            _ = Libc.poll(entries, 2, Session);
            if ((entries[0].Happened & Readable) != 0)
            {
                return Libc.accept4(listener, null, null, Libc.SOCK_CLOEXEC);
            }

            if ((entries[1].Happened & Hangup) != 0)
            {
                return -1;
            }
        }
    }

    private static void Pass(int from, int to)
    {
        var buffer = new byte[Buffer];
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                var count = Wait(from, 1) ? Libc.read(from, bytes, Buffer) : -1;
                if (count <= 0)
                {
                    return;
                }

                for (nint written = 0; written < count;)
                {
                    var step = Wait(to, 4) ? Libc.write(to, bytes + written, (nuint)(count - written)) : -1;
                    if (step <= 0)
                    {
                        return;
                    }

                    written += step;
                }
            }
        }
    }

    // A system call that blocks would keep the other thread's garbage collection waiting; this one is short and repeated.
    private static bool Wait(int descriptor, short what)
    {
        const int Glance = 20;
        while (true)
        {
            var entry = new PollEntry { Descriptor = descriptor, Events = what };
            var ready = Libc.poll(&entry, 1, Glance);
            if (ready > 0)
            {
                return true;
            }

            if (ready < 0 && Errno.Last != Errno.EINTR)
            {
                return false;
            }
        }
    }
}
