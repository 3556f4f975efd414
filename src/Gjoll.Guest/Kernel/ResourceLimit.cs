namespace Gjoll.Guest.Kernel;

internal struct ResourceLimit
{
    public ulong Soft;
    public ulong Hard;
}
