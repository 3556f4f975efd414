using System.Globalization;
using System.Text;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>A tree in a cgroup of its own, which nothing in it can leave and which the kernel ends as a whole.</summary>
internal sealed unsafe class CgroupTree : IProgramTree
{
    private const long FirstRetry = 5;
    private const long LastRetry = 500;

    private readonly EventLoop _loop;
    private readonly ITreeOwner _owner;
    private readonly string _folder;
    private int _program;
    private long _retry = FirstRetry;
    private bool _isKilled;

    private CgroupTree(EventLoop loop, ITreeOwner owner, string folder) => (_loop, _owner, _folder) = (loop, owner, folder);

    public bool IsGone { get; private set; }

    /// <summary>Makes the cgroup and the program in it.</summary>
    public static (CgroupTree Tree, Launch Launch) Start(EventLoop loop, Reaper reaper, ITreeOwner owner, string folder, Func<int, Launch> launch)
    {
        fixed (byte* path = Utf8.Zero(folder))
        {
            if (Libc.mkdir(path, 0x1ed) != 0)
            {
                throw new SystemCallException("make a cgroup", Errno.Last);
            }
        }

        var tree = new CgroupTree(loop, owner, folder);
        var processes = -1;
        try
        {
            processes = Descriptors.Open(folder + "/cgroup.procs", Libc.O_WRONLY);
            var launched = launch(processes);
            tree._program = launched.ProcessId;
            reaper.Expect(launched.ProcessId, tree.Exited);
            return (tree, launched);
        }
        catch (SystemCallException)
        {
            tree.TryRemove();
            throw;
        }
        finally
        {
            Descriptors.Close(ref processes);
        }
    }

    public void Signal(int number, bool toAll)
    {
        if (IsGone)
        {
            return;
        }

        if (!toAll)
        {
            if (_program > 0)
            {
                _ = Libc.kill(_program, number);
            }
        }
        else if (number == Libc.SIGKILL)
        {
            _ = Descriptors.TryWriteFile(_folder + "/cgroup.kill", "1"u8);
        }
        else
        {
            foreach (var line in Encoding.ASCII.GetString(Descriptors.TryReadFile(_folder + "/cgroup.procs", 1024 * 1024) ?? []).Split('\n'))
            {
                if (int.TryParse(line, NumberStyles.None, CultureInfo.InvariantCulture, out var process) && process > 1)
                {
                    _ = Libc.kill(process, number);
                }
            }
        }
    }

    public void Kill()
    {
        if (!IsGone && !_isKilled)
        {
            _isKilled = true;
            KillAgain();
        }
    }

    private void KillAgain()
    {
        if (_program == 0 && TryRemove())
        {
            IsGone = true;
            _owner.TreeGone();
            return;
        }

        _ = Descriptors.TryWriteFile(_folder + "/cgroup.kill", "1"u8);
        _loop.Timers.Start(_retry, KillAgain);
        _retry = Math.Min(_retry * 2, LastRetry);
    }

    private void Exited(int status)
    {
        _program = 0;
        _owner.Exited(status);
    }

    /// <summary>Works only when no process is left in it. Programs of root may have made groups below.</summary>
    private bool TryRemove() => TryRemove(_folder, 0);

    private static bool TryRemove(string folder, int depth)
    {
        const int MaxDepth = 16;
        fixed (byte* path = Utf8.Zero(folder))
        {
            if (Libc.rmdir(path) == 0 || Errno.Last == Errno.ENOENT)
            {
                return true;
            }

            if (depth == MaxDepth || !Directory.Exists(folder))
            {
                return false;
            }

            foreach (var inner in Directory.GetDirectories(folder))
            {
                _ = TryRemove(inner, depth + 1);
            }

            return Libc.rmdir(path) == 0;
        }
    }
}
