namespace Gjoll.Guest.Kernel;

internal static unsafe class Errno
{
    public const int EPERM = 1, ENOENT = 2, ESRCH = 3, EINTR = 4, EIO = 5, E2BIG = 7, ENOEXEC = 8, ECHILD = 10, EAGAIN = 11, ENOMEM = 12, EACCES = 13, EBUSY = 16, EEXIST = 17;
    public const int ENOTDIR = 20, EINVAL = 22, ENFILE = 23, EMFILE = 24, EROFS = 30, EPIPE = 32, EINPROGRESS = 115, EADDRINUSE = 98, ECONNREFUSED = 111;

    /// <summary>Valid at once after a failed call of <see cref="Libc"/>.</summary>
    public static int Last => *Libc.ErrnoLocation();

    public static bool IsAgain(int error) => error is EAGAIN or EINTR;

    /// <summary>The words for those that happen here; the static C library's own table is not worth its size.</summary>
    public static string Words(int error) => error switch
    {
        EPERM => "operation not permitted",
        ENOENT => "no such file or directory",
        EIO => "input/output error",
        E2BIG => "argument list too long",
        ENOEXEC => "not a program",
        EAGAIN => "resource temporarily unavailable",
        ENOMEM => "out of memory",
        EACCES => "permission denied",
        EBUSY => "busy",
        EEXIST => "exists already",
        ENOTDIR => "not a directory",
        EINVAL => "invalid argument",
        ENFILE or EMFILE => "too many open files",
        EROFS => "read-only file system",
        EADDRINUSE => "address in use",
        ECONNREFUSED => "connection refused",
        _ => $"error {error}",
    };
}
