using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gjoll.Hosts;

/// <summary>The few system calls that .NET has no words for. Linux, x64 and arm64.</summary>
internal static partial class Native
{
    private const long PidfdSendSignal = 424;
    private const long PidfdOpen = 434;
    private const int ReadOnlyCloseOnExec = 0x80000;

    // O_PATH: only to name what lies in it.
    private const int PathOnly = 0x200000;
    private const uint CloseOnExec = 1;
    private const uint AllowSealing = 2;
    private const int AddSeals = 1033;
    private const int SealSeal = 1;
    private const int SealShrink = 2;
    private const int SealGrow = 4;
    private const int SealWrite = 8;
    private const int NoSuchProcess = 3;
    private const uint BasicStatus = 0x7ff;

    public static bool IsRoot => EffectiveUserId() == 0;

    public static uint UserId => EffectiveUserId();

    /// <summary>A handle that names this very process even when its number is given to another one; null when it is gone.</summary>
    public static SafeFileHandle? OpenProcess(int processId)
    {
        var descriptor = SystemCall(PidfdOpen, processId, 0, 0, 0);
        return descriptor >= 0 ? new SafeFileHandle((nint)descriptor, ownsHandle: true) : null;
    }

    /// <summary>False when the process is gone.</summary>
    public static bool Signal(SafeFileHandle process, int signal)
    {
        if (SystemCall(PidfdSendSignal, process.DangerousGetHandle(), signal, 0, 0) == 0)
        {
            return true;
        }

        var error = Marshal.GetLastPInvokeError();
        return error == NoSuchProcess ? false : throw Failure($"send signal {signal}", error);
    }

    public static void ChangeOwner(string path, uint user, uint group)
    {
        if (ChangeLinkOwner(path, user, group) != 0)
        {
            throw Failure($"give {path} to user {user}", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>An empty file in memory, on which <see cref="Seal"/> works.</summary>
    public static SafeFileHandle CreateMemory(string name)
    {
        var descriptor = MemoryFile(name, CloseOnExec | AllowSealing);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw Failure("make a file in memory", Marshal.GetLastPInvokeError());
    }

    /// <summary>From now on nobody, whatever their rights, can change its content or size; private mappings may still be written.</summary>
    public static void Seal(SafeFileHandle memory)
    {
        if (ControlFile(memory, AddSeals, SealSeal | SealShrink | SealGrow | SealWrite) != 0)
        {
            throw Failure("seal a file in memory", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>A handle on a folder, to name what lies in it by.</summary>
    public static SafeFileHandle OpenFolder(string path)
    {
        var descriptor = Open(path, PathOnly | ReadOnlyCloseOnExec);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw Failure($"open the folder {path}", Marshal.GetLastPInvokeError());
    }

    /// <summary>Tells a file from another one under the same name, and from itself with another content.</summary>
    public static FileIdentity Identify(string path)
    {
        // struct statx: ino 32, size 40, ctime 96 (seconds, nanoseconds), mtime 112, device 136.
        var status = new byte[256];
        if (StatusOf(-100, path, 0, BasicStatus, status) != 0)
        {
            throw Failure($"look at {path}", Marshal.GetLastPInvokeError());
        }

        return new FileIdentity(Long(136), Long(32), Long(40), Time(112), Time(96));

        long Long(int offset) => BitConverter.ToInt64(status, offset);

        long Time(int offset) => (Long(offset) * 1_000_000_000) + BitConverter.ToUInt32(status, offset + 8);
    }

    private static GjollException Failure(string attempt, int error) =>
        new($"Could not {attempt}: {new Win32Exception(error).Message}.");

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second, long third, long fourth);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeLinkOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "statx", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int StatusOf(int folder, string path, int flags, uint mask, [Out] byte[] status);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "memfd_create", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int MemoryFile(string name, uint flags);

    [LibraryImport("libc", EntryPoint = "fcntl", SetLastError = true)]
    private static partial int ControlFile(SafeFileHandle descriptor, int command, int argument);
}
