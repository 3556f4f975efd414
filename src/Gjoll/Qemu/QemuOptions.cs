namespace Gjoll.Qemu;

/// <summary>Where and how the QEMU provider works.</summary>
public sealed class QemuOptions
{
    /// <summary>Absolute folder for records, disks and templates. One provider kind per folder; any number of processes may share it.</summary>
    public required string StateFolder { get; set; }

    /// <summary>Absolute folder of the image store.</summary>
    public required string ImageFolder { get; set; }

    /// <summary>The image of a specification that names none.</summary>
    public string DefaultImage { get; set; } = "drellaos:default";

    /// <summary>Null: KVM where a probe boot of the image reaches the guest agent in time, else TCG.</summary>
    public Accelerator? Accelerator { get; set; }

    /// <summary>The program, looked up in the host's usual folders.</summary>
    public string Program { get; set; } = "qemu-system-x86_64";

    /// <summary>Where the guest agent and the warden lie; null looks beside the app and in GJOLL_NATIVE.</summary>
    public string? NativeFolder { get; set; }

    /// <summary>With a root host process: the first of the kernel users that machines run as; null derives a block of 4096 from the state folder.</summary>
    public uint? FirstUserId { get; set; }

    /// <summary>Use cgroups where they can be written.</summary>
    public bool UseCgroups { get; set; } = true;

    /// <summary>From QEMU's start to the guest agent's first word, under KVM; under TCG eight times that.</summary>
    public TimeSpan BootTimeout { get; set; } = TimeSpan.FromSeconds(20);

    /// <summary>How often deadlines are looked at, and the warm pool.</summary>
    public TimeSpan WatchInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>What all machines of the warm pool together may take of the host's memory, in bytes, each counted with its share of what it shares.</summary>
    public long PoolMemoryBytes { get; set; } = 1L << 30;

    /// <summary>The pool is emptied when no machine was wanted for this long.</summary>
    public TimeSpan PoolIdle { get; set; } = TimeSpan.FromMinutes(15);

    /// <summary>Free bytes of the host's disk below which no machine is made, started or saved.</summary>
    public long DiskReserveBytes { get; set; } = 2L << 30;
}
