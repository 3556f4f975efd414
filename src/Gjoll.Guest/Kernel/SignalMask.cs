using System.Runtime.CompilerServices;

namespace Gjoll.Guest.Kernel;

/// <summary>
/// Signals that are read from a descriptor must be blocked in every thread, else the kernel may give one to a thread that drops it. The runtime has one
/// thread more than ours, and code of ours runs on it in one place only: in a finaliser.
/// </summary>
internal static unsafe class SignalMask
{
    public static ulong Blocked => Bit(Libc.SIGCHLD) | Bit(Libc.SIGTERM) | Bit(Libc.SIGINT) | Bit(Libc.SIGHUP);

    public static void Block()
    {
        BlockHere();
        MakeGarbage();
        GC.Collect();
        GC.WaitForPendingFinalizers();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void MakeGarbage() => _ = new OnFinalizerThread();

    private static void BlockHere()
    {
        var set = Blocked;
        _ = Libc.sigprocmask(Libc.SIG_BLOCK, &set, null);
    }

    private static ulong Bit(int signal) => 1ul << (signal - 1);

    private sealed class OnFinalizerThread
    {
        ~OnFinalizerThread() => BlockHere();
    }
}
