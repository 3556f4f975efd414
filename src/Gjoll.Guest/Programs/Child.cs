using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>
/// What a child does between fork and exec. Only this thread exists in it and the runtime does not work: no allocation, no exception, no static field,
/// nothing but system calls on what <see cref="ChildPlan"/> holds.
/// </summary>
internal static unsafe class Child
{
    private const int BadFolder = 125;
    private const int NotRunnable = 126;
    private const int NotFound = 127;

    /// <summary>Becomes the program. Never returns.</summary>
    public static void Become(ChildPlan* plan)
    {
        _ = Libc.setsid();
        if (plan->CgroupProcesses >= 0)
        {
            byte self = (byte)'0';
            if (Libc.write(plan->CgroupProcesses, &self, 1) != 1)
            {
                // Outside of its group it could not be ended.
                Libc._exit(BadFolder);
            }
        }

        if (plan->HasTerminal)
        {
            _ = Libc.ioctl_number(plan->Input, Libc.TIOCSCTTY, 0);
        }

        _ = Libc.dup2(plan->Input, 0);
        _ = Libc.dup2(plan->Output, 1);
        _ = Libc.dup2(plan->Error, 2);
        _ = Libc.close_range(3, uint.MaxValue, 0);

        var none = new ResourceLimit();
        _ = Libc.setrlimit(Libc.RLIMIT_CORE, &none);
        var files = new ResourceLimit { Soft = plan->FilesSoft, Hard = plan->FilesHard };
        _ = Libc.setrlimit(Libc.RLIMIT_NOFILE, &files);
        _ = Libc.umask(0x12);
        Become(plan->SwitchesUser, plan);
        if (Libc.chdir(plan->Folder) != 0)
        {
            Fail(plan->NoFolder, plan->NoFolderLength, BadFolder);
        }

        if (plan->IsUnprivileged)
        {
            _ = Libc.prctl(Libc.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
        }

        // A program expects the signals as a shell would leave them; the runtime ignores some.
        for (var number = 1; number <= 64; number++)
        {
            _ = Libc.signal(number, 0);
        }

        ulong open = 0;
        _ = Libc.sigprocmask(Libc.SIG_SETMASK, &open, null);
        Execute(plan);
    }

    /// <summary>
    /// Stands above one program as the parent of all that loses its own, so that none of its descendants can get away from it; reports the program's
    /// number and its end, and ends when no process is left. Never returns.
    /// </summary>
    public static void Keep(ChildPlan* plan)
    {
        var all = ~0ul;
        _ = Libc.sigprocmask(Libc.SIG_SETMASK, &all, null);
        _ = Libc.setsid();
        _ = Libc.prctl(Libc.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
        _ = Libc.prctl(Libc.PR_SET_PDEATHSIG, Libc.SIGKILL, 0, 0, 0);
        var program = Libc.fork();
        if (program == 0)
        {
            _ = Libc.prctl(Libc.PR_SET_PDEATHSIG, Libc.SIGKILL, 0, 0, 0);
            Become(plan);
        }

        var report = 3;
        if (plan->Report != report)
        {
            _ = Libc.dup2(plan->Report, report);
        }

        // The program's pipes must end when the program closes them.
        _ = Libc.close_range(0, 2, 0);
        _ = Libc.close_range(4, uint.MaxValue, 0);
        _ = Libc.write(report, (byte*)&program, sizeof(int));
        while (true)
        {
            int status;
            var ended = Libc.waitpid(-1, &status, 0);
            if (ended == program)
            {
                _ = Libc.write(report, (byte*)&status, sizeof(int));
            }
            else if (ended < 0 && Errno.Last != Errno.EINTR)
            {
                Libc._exit(0);
            }
        }
    }

    private static void Become(bool switches, ChildPlan* plan)
    {
        if (switches && (Libc.setgroups((nuint)plan->GroupCount, plan->Groups) != 0 || Libc.setgid(plan->Group) != 0 || Libc.setuid(plan->User) != 0))
        {
            Fail(plan->NoUser, plan->NoUserLength, BadFolder);
        }
    }

    private static void Execute(ChildPlan* plan)
    {
        var refused = false;
        for (var candidate = plan->Candidates; *candidate is not null; candidate++)
        {
            _ = Libc.execve(*candidate, plan->Arguments + 1, plan->Environment);
            var error = Errno.Last;
            if (error == Errno.ENOEXEC)
            {
                // As execvp does: a script that does not say by what.
                plan->Arguments[0] = plan->Shell;
                plan->Arguments[1] = *candidate;
                _ = Libc.execve(plan->Shell, plan->Arguments, plan->Environment);
            }

            if (error is not (Errno.ENOENT or Errno.ENOTDIR))
            {
                refused = true;
                if (error != Errno.EACCES)
                {
                    break;
                }
            }
        }

        if (refused)
        {
            Fail(plan->NotRunnable, plan->NotRunnableLength, NotRunnable);
        }

        Fail(plan->NotFound, plan->NotFoundLength, NotFound);
    }

    private static void Fail(byte* words, int length, int code)
    {
        _ = Libc.write(2, words, (nuint)length);
        Libc._exit(code);
    }
}
