using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

[assembly: DisableRuntimeMarshalling]

namespace Gjoll.Guest.Kernel;

/// <summary>
/// The system calls, as the C library names them. All but the wait are made without telling the runtime: they do not block, it is faster, and a
/// forked child, which has no runtime any more, may make them. Errors: negative, and <see cref="Errno.Last"/> at once after.
/// </summary>
internal static unsafe partial class Libc
{
    public const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_CREAT = 0x40, O_NOCTTY = 0x100, O_TRUNC = 0x200, O_NONBLOCK = 0x800, O_DIRECTORY = 0x10000, O_CLOEXEC = 0x80000;
    public const int F_GETFL = 3, F_SETFL = 4;
    public const int SIGHUP = 1, SIGINT = 2, SIGKILL = 9, SIGPIPE = 13, SIGTERM = 15, SIGCHLD = 17, SIGCONT = 18, SIGSTOP = 19, SIG_BLOCK = 0, SIG_SETMASK = 2;
    public const int WNOHANG = 1;
    public const uint EPOLLIN = 1, EPOLLOUT = 4, EPOLLERR = 8, EPOLLHUP = 16, EPOLLRDHUP = 0x2000, EPOLLET = 0x8000_0000;
    public const int EPOLL_CTL_ADD = 1, EPOLL_CTL_DEL = 2, EPOLL_CTL_MOD = 3, EPOLL_CLOEXEC = O_CLOEXEC;
    public const int AF_UNIX = 1, AF_INET = 2, SOCK_STREAM = 1, SOCK_NONBLOCK = 0x800, SOCK_CLOEXEC = 0x80000;
    public const int SOL_SOCKET = 1, SO_REUSEADDR = 2, SO_ERROR = 4, SO_LINGER = 13, IPPROTO_TCP = 6, TCP_NODELAY = 1, SHUT_WR = 1, MSG_NOSIGNAL = 0x4000;
    public const nuint TIOCSCTTY = 0x540e, TIOCSWINSZ = 0x5414, TIOCSPTLCK = 0x4004_5431, TIOCGPTPEER = 0x5441, SIOCSIFFLAGS = 0x8914, RNDADDENTROPY = 0x4008_5203;
    public const int PR_SET_PDEATHSIG = 1, PR_SET_NAME = 15, PR_SET_CHILD_SUBREAPER = 36, PR_SET_NO_NEW_PRIVS = 38;
    public const int RLIMIT_CORE = 4, RLIMIT_NOFILE = 7;
    public const int CLOCK_REALTIME = 0, CLOCK_MONOTONIC = 1, CLOCK_BOOTTIME = 7;
    public const int PROT_READ = 1, PROT_WRITE = 2, MAP_PRIVATE = 2, MAP_ANONYMOUS = 0x20;
    public const uint MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_REMOUNT = 32, MS_NOATIME = 1024, MS_MOVE = 8192, MS_RELATIME = 1 << 21;

    [LibraryImport("libc", EntryPoint = "__errno_location"), SuppressGCTransition]
    public static partial int* ErrnoLocation();

    [LibraryImport("libc", SetLastError = true)]
    public static partial int epoll_wait(int descriptor, EpollEvent* events, int count, int milliseconds);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int epoll_create1(int flags);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int epoll_ctl(int poll, int operation, int descriptor, EpollEvent* what);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial nint read(int descriptor, byte* target, nuint count);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial nint write(int descriptor, byte* source, nuint count);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int open(byte* path, int flags, uint mode);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int close(int descriptor);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int close_range(uint first, uint last, int flags);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int pipe2(int* both, int flags);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int dup2(int from, int to);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int fcntl(int descriptor, int command, nint argument);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int ioctl(int descriptor, nuint request, void* argument);

    [LibraryImport("libc", EntryPoint = "ioctl"), SuppressGCTransition]
    public static partial int ioctl_number(int descriptor, nuint request, nint argument);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int fork();

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int execve(byte* path, byte** arguments, byte** environment);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial void _exit(int code);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int waitpid(int process, int* status, int options);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int kill(int process, int signal);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int getpid();

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial uint geteuid();

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int setsid();

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int setgroups(nuint count, uint* groups);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int setgid(uint group);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int setuid(uint user);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial uint umask(uint mode);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int chdir(byte* path);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int chroot(byte* path);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int prctl(int what, nuint second, nuint third, nuint fourth, nuint fifth);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int getrlimit(int what, ResourceLimit* limit);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int setrlimit(int what, ResourceLimit* limit);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial nint signal(int number, nint handler);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int sigprocmask(int how, ulong* set, ulong* old);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int signalfd(int descriptor, ulong* set, int flags);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int socket(int family, int type, int protocol);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int connect(int descriptor, byte* address, uint length);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int bind(int descriptor, byte* address, uint length);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int listen(int descriptor, int backlog);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int accept4(int descriptor, byte* address, uint* length, int flags);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int shutdown(int descriptor, int how);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int setsockopt(int descriptor, int level, int name, void* value, uint length);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int getsockopt(int descriptor, int level, int name, void* value, uint* length);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial byte* mmap(void* at, nuint length, int protection, int flags, int descriptor, nint offset);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int munmap(void* at, nuint length);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int clock_gettime(int clock, TimeSpec* time);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int clock_settime(int clock, TimeSpec* time);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int mkdir(byte* path, uint mode);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int rmdir(byte* path);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int unlink(byte* path);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int chmod(byte* path, uint mode);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int fchown(int descriptor, uint user, uint group);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int fchmod(int descriptor, uint mode);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int sethostname(byte* name, nuint length);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int poll(PollEntry* entries, nuint count, int milliseconds);

    [LibraryImport("libc"), SuppressGCTransition]
    public static partial int fstatfs(int descriptor, long* status);

    // What follows may take long, and is done once in a life.
    [LibraryImport("libc")]
    public static partial int mount(byte* source, byte* target, byte* type, nuint flags, byte* data);

    [LibraryImport("libc")]
    public static partial long syscall(long number, nint first, nint second, nint third, nint fourth);

    [LibraryImport("libc")]
    public static partial void sync();

    [LibraryImport("libc")]
    public static partial int reboot(int command);
}
