namespace Gjoll.Guest.Kernel;

internal static unsafe class Clock
{
    /// <summary>Milliseconds that no one can set back.</summary>
    public static long Now => Read(Libc.CLOCK_MONOTONIC) / 1_000_000;

    public static long Read(int clock)
    {
        TimeSpec time;
        _ = Libc.clock_gettime(clock, &time);
        return (time.Seconds * 1_000_000_000) + time.Nanoseconds;
    }
}
