namespace Gjoll.Bubblewrap;

/// <summary>Where and how the bubblewrap provider works.</summary>
public sealed class BubblewrapOptions
{
    /// <summary>Absolute folder for records and writable layers. One provider kind per folder; any number of processes may share it.</summary>
    public required string StateFolder { get; set; }

    /// <summary>With a root host process: the first of the kernel users that guests run as; null derives a block of 4096 from the state folder.</summary>
    public uint? FirstUserId { get; set; }

    /// <summary>Use a sized file system image as writable layer when the host process is root and loop mounts work; else a folder that is measured.</summary>
    public bool UseDiskImages { get; set; } = true;

    /// <summary>Use cgroups where they can be written.</summary>
    public bool UseCgroups { get; set; } = true;

    /// <summary>Where the compiled guest agent and warden are; null looks beside the app, and where GJOLL_NATIVE says.</summary>
    public string? NativeFolder { get; set; }

    /// <summary>How long starting may take before it counts as failed.</summary>
    public TimeSpan StartTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How often deadlines and measured disks are looked at.</summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>Free bytes of the host's disk below which no sandbox is made, started or saved.</summary>
    public long DiskReserveBytes { get; set; } = 2L << 30;
}
