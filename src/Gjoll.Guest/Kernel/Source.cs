namespace Gjoll.Guest.Kernel;

/// <summary>A descriptor that the loop watches.</summary>
internal abstract class Source
{
    public int Descriptor { get; set; } = -1;

    /// <summary>What the loop was told to wait for; kept by <see cref="EventLoop"/>.</summary>
    public uint Watched { get; set; }

    /// <summary>Tells events of this descriptor from those of an earlier one with its number.</summary>
    public uint Generation { get; set; }

    public abstract void Ready(uint events);
}
