using System.ComponentModel;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Gjoll.Hosts;

/// <summary>The few system calls that .NET has no words for. Linux, x64 and arm64.</summary>
internal static partial class Native
{
    private const long PidfdSendSignal = 424;
    private const long PidfdOpen = 434;
    private const ulong NamespaceGetParent = 0xb702;
    private const int ReadOnlyCloseOnExec = 0x80000;

    // O_PATH: only to name what lies in it.
    private const int PathOnly = 0x200000;
    private const int NoSuchProcess = 3;

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

    public static void MakeHardLink(string existing, string path)
    {
        if (Link(existing, path) != 0)
        {
            throw Failure($"link {path} to {existing}", Marshal.GetLastPInvokeError());
        }
    }

    /// <summary>The user namespace above that of a process.</summary>
    public static SafeFileHandle OpenParentUserNamespace(int processId)
    {
        var inner = Open($"/proc/{processId}/ns/user", ReadOnlyCloseOnExec);
        if (inner < 0)
        {
            throw Failure($"open the user namespace of process {processId}", Marshal.GetLastPInvokeError());
        }

        using var handle = new SafeFileHandle(inner, ownsHandle: true);
        var outer = Control(handle, NamespaceGetParent);
        return outer >= 0
            ? new SafeFileHandle(outer, ownsHandle: true)
            : throw Failure("find the outer user namespace", Marshal.GetLastPInvokeError());
    }

    /// <summary>A handle on a folder, to name what lies in it by.</summary>
    public static SafeFileHandle OpenFolder(string path)
    {
        var descriptor = Open(path, PathOnly | ReadOnlyCloseOnExec);
        return descriptor >= 0
            ? new SafeFileHandle(descriptor, ownsHandle: true)
            : throw Failure($"open the folder {path}", Marshal.GetLastPInvokeError());
    }

    private static GjollException Failure(string attempt, int error) =>
        new($"Could not {attempt}: {new Win32Exception(error).Message}.");

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint EffectiveUserId();

    [LibraryImport("libc", EntryPoint = "syscall", SetLastError = true)]
    private static partial long SystemCall(long number, long first, long second, long third, long fourth);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeLinkOwner(string path, uint user, uint group);

    [LibraryImport("libc", EntryPoint = "link", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Link(string existing, string path);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "ioctl", SetLastError = true)]
    private static partial int Control(SafeFileHandle descriptor, ulong request);
}
