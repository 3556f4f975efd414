namespace Gjoll.Guest.Kernel;

/// <summary>What is to be done later, in order. A cancelled one leaves nothing behind.</summary>
internal sealed class Timers
{
    private readonly SortedSet<Timer> _due = new(Comparer<Timer>.Create((a, b) => a.Due != b.Due ? a.Due.CompareTo(b.Due) : a.Number.CompareTo(b.Number)));
    private long _number;

    public Timer Start(long milliseconds, Action action)
    {
        // Not so far that adding it to the clock overflows.
        var timer = new Timer(Clock.Now + Math.Min(milliseconds, long.MaxValue / 4), ++_number, action);
        _due.Add(timer);
        return timer;
    }

    public void Cancel(ref Timer? timer)
    {
        if (timer is not null)
        {
            _due.Remove(timer);
            timer = null;
        }
    }

    public void RunDue()
    {
        while (_due.Min is { } next && next.Due <= Clock.Now)
        {
            _due.Remove(next);
            next.Action();
        }
    }

    /// <summary>Milliseconds until the next; -1 when there is none.</summary>
    public int Wait() => _due.Min is { } next ? (int)Math.Clamp(next.Due - Clock.Now, 0, int.MaxValue) : -1;

    internal sealed record Timer(long Due, long Number, Action Action);
}
