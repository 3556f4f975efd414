using System.Text;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Machine;

/// <summary>A machine that is not the agent's: it changes nothing of it, and says so where it is not as asked.</summary>
internal sealed class SharedMachine(Ending ending) : IMachine
{
    private const long ClockTolerance = 5_000_000;

    public void Renew(RenewRequest request, Action<IReadOnlyList<string>> done)
    {
        List<string> failures = [];
        Check(Read("/proc/sys/kernel/hostname") == request.Hostname, "the host name");
        Check(Math.Abs((Clock.Read(Libc.CLOCK_REALTIME) / 1000) - request.Time) < ClockTolerance, "the clock");
        Check(Read("/etc/machine-id") == request.MachineId, "the machine id");
        Check(!request.GrowDisk, "the size of the disk");
        if (MachineFiles.AddEntropy(request.Entropy) is { } failure)
        {
            failures.Add(failure);
        }

        done(failures);

        void Check(bool isAsWanted, string what)
        {
            if (!isAsWanted)
            {
                failures.Add($"{what} is not this agent's to change");
            }
        }
    }

    public void ShutDown(int graceMilliseconds) => ending.Begin(graceMilliseconds);

    private static string Read(string path) => Encoding.UTF8.GetString(Descriptors.TryReadFile(path) ?? []).Trim();
}
