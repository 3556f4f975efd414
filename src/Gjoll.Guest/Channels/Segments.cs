using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Channels;

/// <summary>
/// Memory for bytes on their way, in pieces that go back to the kernel when they are not needed: an idle guest should cost its host nothing.
/// All streams share one budget, so that many full ones cannot take the machine's memory.
/// </summary>
internal sealed unsafe class Segments(long budget)
{
    public const int Size = 64 * 1024;

    private const int Spare = 16;

    private readonly Stack<nint> _spare = new();
    private long _taken;

    /// <summary>A stream that holds nothing may always take one; more only from what is left of the budget.</summary>
    public bool MayTake(bool isFirst) => isFirst || _taken * Size < budget;

    public nint Take()
    {
        _taken++;
        if (_spare.TryPop(out var segment))
        {
            return segment;
        }

        var memory = Libc.mmap(null, Size, Libc.PROT_READ | Libc.PROT_WRITE, Libc.MAP_PRIVATE | Libc.MAP_ANONYMOUS, -1, 0);
        return (nint)memory != -1 ? (nint)memory : throw new SystemCallException("take memory", Errno.Last);
    }

    public void Return(nint segment)
    {
        _taken--;
        if (_spare.Count < Spare)
        {
            _spare.Push(segment);
            return;
        }

        _ = Libc.munmap((void*)segment, Size);
    }

    /// <summary>Gives the spare ones back: nothing is going on.</summary>
    public void Trim()
    {
        while (_spare.TryPop(out var segment))
        {
            _ = Libc.munmap((void*)segment, Size);
        }
    }
}
