namespace Gjoll.Guest.Kernel;

internal struct TimeSpec
{
    public long Seconds;
    public long Nanoseconds;
}
