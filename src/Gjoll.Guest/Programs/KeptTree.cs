using System.Buffers.Binary;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Programs;

/// <summary>
/// A tree under a keeper process (<see cref="Child.Keep"/>), where there are no cgroups of our own: all that loses its parent becomes the keeper's child.
/// A program may kill its keeper; then its orphans become the agent's own children, which has no others, and are killed.
/// </summary>
internal sealed unsafe class KeptTree : Source, IProgramTree
{
    private const long FirstRetry = 10;
    private const long LastRetry = 500;
    private const int KilledStatus = Libc.SIGKILL;

    private readonly EventLoop _loop;
    private readonly Reaper _reaper;
    private readonly ITreeOwner _owner;
    private readonly int _keeper;
    private readonly byte[] _report = new byte[2 * sizeof(int)];
    private int _reported;
    private int _program;
    private long _retry = FirstRetry;
    private Timers.Timer? _timer;
    private bool _isKilled;

    public KeptTree(EventLoop loop, Reaper reaper, ITreeOwner owner, Launch launch)
    {
        (_loop, _reaper, _owner, _keeper) = (loop, reaper, owner, launch.ProcessId);
        Descriptor = launch.Report;
        Descriptors.MakeNonBlocking(Descriptor);
        reaper.Keepers.Add(_keeper);
        loop.Watch(this, Libc.EPOLLIN);
    }

    public bool IsGone { get; private set; }

    public override void Ready(uint events)
    {
        nint count;
        fixed (byte* target = _report.AsSpan(_reported % _report.Length))
        {
            count = Libc.read(Descriptor, target, (nuint)(_report.Length - (_reported % _report.Length)));
        }

        if (count < 0 && Errno.IsAgain(Errno.Last))
        {
            return;
        }

        if (count <= 0)
        {
            End();
            return;
        }

        var before = _reported;
        _reported += (int)count;
        if (before < sizeof(int) && _reported >= sizeof(int))
        {
            _program = BinaryPrimitives.ReadInt32LittleEndian(_report);
            _owner.Started(_program);
        }

        if (_reported == _report.Length)
        {
            _program = 0;
            _owner.Exited(BinaryPrimitives.ReadInt32LittleEndian(_report.AsSpan(sizeof(int))));
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
            // Its number is its own until its keeper has reaped it, which it tells at once.
            if (_program > 0)
            {
                _ = Libc.kill(_program, number);
            }
        }
        else if (number == Libc.SIGKILL)
        {
            ProcessWalk.KillBelow(() => ProcessWalk.Descendants(_keeper));
        }
        else
        {
            ProcessWalk.Descendants(_keeper).ForEach(process => _ = Libc.kill(process, number));
        }
    }

    public void Kill()
    {
        if (IsGone || _isKilled)
        {
            return;
        }

        _isKilled = true;
        KillAgain();
    }

    private void KillAgain()
    {
        ProcessWalk.KillBelow(() => ProcessWalk.Descendants(_keeper));
        _timer = _loop.Timers.Start(_retry, KillAgain);
        _retry = Math.Min(_retry * 2, LastRetry);
    }

    private void End()
    {
        _loop.Close(this);
        _loop.Timers.Cancel(ref _timer);
        IsGone = true;
        _reaper.Keepers.Remove(_keeper);
        if (_reported < _report.Length)
        {
            // A keeper that did not tell the end was killed, and its program with it.
            _reaper.KillStrays();
            if (_reported < sizeof(int))
            {
                _owner.Started(_keeper);
            }

            _owner.Exited(KilledStatus);
        }

        _owner.TreeGone();
    }
}
