using System.Runtime.CompilerServices;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>Ended children, and the wish that the agent ends.</summary>
internal sealed unsafe class SignalSource : Source
{
    private const int InfoSize = 128;

    private readonly Reaper _reaper;
    private readonly Action _terminate;

    public SignalSource(Reaper reaper, Action terminate)
    {
        (_reaper, _terminate) = (reaper, terminate);
        var set = SignalMask.Blocked;
        Descriptor = Libc.signalfd(-1, &set, Libc.O_NONBLOCK | Libc.O_CLOEXEC);
        if (Descriptor < 0)
        {
            throw new SystemCallException("read signals", Errno.Last);
        }
    }

    public override void Ready(uint events)
    {
        var info = stackalloc byte[InfoSize];
        var hasEnded = false;
        while (Libc.read(Descriptor, info, InfoSize) == InfoSize)
        {
            // struct signalfd_siginfo begins with the number.
            var number = Unsafe.ReadUnaligned<int>(info);
            if (number == Libc.SIGCHLD)
            {
                hasEnded = true;
            }
            else
            {
                _terminate();
            }
        }

        if (hasEnded)
        {
            _reaper.Reap();
        }
    }
}
