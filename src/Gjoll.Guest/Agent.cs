using Gjoll.Guest.Channels;
using Gjoll.Guest.Kernel;
using Gjoll.Guest.Links;
using Gjoll.Guest.Machine;
using Gjoll.Guest.Programs;

namespace Gjoll.Guest;

/// <summary>Puts the parts together and runs them until the end.</summary>
internal static class Agent
{
    /// <summary>All streams together; a machine with less has its share.</summary>
    private const long MaxStreams = 128L * 1024 * 1024;

    private const int ShareOfMemory = 8;
    private const long GraceWhenTerminated = 2000;

    /// <param name="cgroups">Where programs get cgroups of their own; null for keepers above them.</param>
    /// <param name="makeMachine">Gets how all programs are ended.</param>
    public static void Run(LinkPlace place, byte[] key, string? cgroups, Log log, Func<EventLoop, ProgramTable, IMachine> makeMachine)
    {
        Launch.RaiseFileLimit();
        var loop = new EventLoop();
        var switchboard = new Switchboard(loop, new Segments(Math.Min(MaxStreams, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / ShareOfMemory)));
        var reaper = new Reaper(loop);
        var programs = new ProgramTable(switchboard, reaper, cgroups);
        var listeners = new ListenerSet(switchboard);
        var machine = makeMachine(loop, programs);
        var signals = new SignalSource(reaper, () => machine.ShutDown((int)GraceWhenTerminated));
        loop.Watch(signals, Libc.EPOLLIN);
        var link = new HostLink(loop, place, new Session(switchboard, programs, listeners, machine, key), switchboard, log);
        loop.AfterBatch = link.Flush;
        link.Start();
        loop.Run();
        programs.EndAll();
    }
}
