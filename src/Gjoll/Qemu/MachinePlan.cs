namespace Gjoll.Qemu;

/// <summary>
/// Everything that decides what a machine is. Paths are those inside QEMU's jail. A saved state belongs to one <see cref="Shape"/>: it is only given to a
/// machine that has the same.
/// </summary>
internal sealed record MachinePlan
{
    public required string Name { get; init; }
    public required Accelerator Accelerator { get; init; }
    public required int Cpus { get; init; }
    public required long MemoryBytes { get; init; }
    public required string KernelArguments { get; init; }

    /// <summary>Where the guest's memory lies; null is memory of the process itself.</summary>
    public MemoryFile? Memory { get; init; }

    /// <summary>Starts stopped and waits for a saved state instead of booting.</summary>
    public bool IsIncoming { get; init; }

    /// <summary>Folders of the host as disks that the guest cannot write, in the order of the specification.</summary>
    public int ReadOnlyDisks { get; init; }

    /// <summary>The text of what a saved state depends on, without names and paths.</summary>
    public string Shape => FormattableString.Invariant($"{Accelerator} {Cpus} {MemoryBytes} {KernelArguments} {ReadOnlyDisks} {MachineArguments.Revision}");
}

/// <param name="Path">The file, inside the jail.</param>
/// <param name="IsShared">True: what the guest writes lands in the file. False: the file is a template, and what the guest writes is its own.</param>
internal sealed record MemoryFile(string Path, bool IsShared);
