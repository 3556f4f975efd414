namespace Gjoll.Guest.Kernel;

internal struct PollEntry
{
    public int Descriptor;
    public short Events;
    public short Happened;
}
