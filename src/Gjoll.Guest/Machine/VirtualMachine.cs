using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Machine;

/// <summary>A machine that is all the agent's.</summary>
internal sealed class VirtualMachine(Ending ending, string disk) : IMachine
{
    public void Renew(RenewRequest request, Action<IReadOnlyList<string>> done)
    {
        // Entropy first: what is made from random numbers after this differs from machine to machine.
        string?[] failures =
        [
            MachineFiles.AddEntropy(request.Entropy),
            MachineFiles.SetClock(request.Time),
            MachineFiles.SetHostname(request.Hostname),
            MachineFiles.SetMachineId(request.MachineId),
            request.GrowDisk ? Disk.Grow(disk) : null,
        ];
        done([.. failures.OfType<string>()]);
    }

    public void ShutDown(int graceMilliseconds) => ending.Begin(graceMilliseconds);
}
