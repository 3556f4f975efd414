using Gjoll.Guest.Kernel;
using Gjoll.Guest.Programs;

namespace Gjoll.Guest.Machine;

/// <summary>Ends all programs: TERM, a wait, KILL; and then something else. Begun once.</summary>
internal sealed class Ending(EventLoop loop, ProgramTable programs, Action then)
{
    private const int LookAgain = 20;
    private const long MaxGrace = 600_000;

    /// <summary>What a kill cannot end in this time waits in the kernel; nobody waits for it.</summary>
    private const long KillTakes = 2000;

    private bool _isBegun;

    public void Begin(long graceMilliseconds)
    {
        if (_isBegun)
        {
            return;
        }

        _isBegun = true;
        programs.TerminateAll();
        WaitFor(() => programs.Running == 0, Clock.Now + Math.Clamp(graceMilliseconds, 0, MaxGrace), () =>
        {
            programs.EndAll();
            WaitFor(() => programs.IsEmpty, Clock.Now + KillTakes, then);
        });
    }

    // The first look is a timer too: what asked for the end is answered before.
    private void WaitFor(Func<bool> isDone, long until, Action next) => loop.Timers.Start(0, () => Look(isDone, until, next));

    private void Look(Func<bool> isDone, long until, Action next)
    {
        if (isDone() || Clock.Now >= until)
        {
            next();
        }
        else
        {
            loop.Timers.Start(LookAgain, () => Look(isDone, until, next));
        }
    }
}
