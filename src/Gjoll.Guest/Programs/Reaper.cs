using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>Takes the end of every child: programs and keepers, and orphans that became the agent's.</summary>
internal sealed unsafe class Reaper(EventLoop loop)
{
    private readonly Dictionary<int, Action<int>> _waiting = [];
    private bool _isSweeping;

    /// <summary>Direct children that stand above a program; all others but the waited for are strays.</summary>
    public HashSet<int> Keepers { get; } = [];

    /// <param name="ended">Called once with the status. The number stays the child's until then.</param>
    public void Expect(int process, Action<int> ended) => _waiting[process] = ended;

    public void Reap()
    {
        while (true)
        {
            int status;
            var process = Libc.waitpid(-1, &status, Libc.WNOHANG);
            if (process <= 0)
            {
                return;
            }

            if (_waiting.Remove(process, out var ended))
            {
                ended(status);
            }
        }
    }

    /// <summary>Kills children that belong to no program any more, now and until there are none.</summary>
    public void KillStrays()
    {
        if (_isSweeping)
        {
            return;
        }

        const long Again = 50;
        const int Rounds = 20;
        _isSweeping = true;
        Sweep(Rounds);

        void Sweep(int left)
        {
            var known = new HashSet<int>([.. Keepers, .. _waiting.Keys]);
            var found = ProcessWalk.Strays(Libc.getpid(), known);
            if (found.Count > 0)
            {
                ProcessWalk.KillBelow(() => ProcessWalk.Strays(Libc.getpid(), known));
            }

            // The keeper's end is seen before its orphans have moved.
            if (found.Count > 0 || left > 0)
            {
                loop.Timers.Start(Again, () => Sweep(found.Count > 0 ? Rounds : left - 1));
            }
            else
            {
                _isSweeping = false;
            }
        }
    }
}
