using System.Globalization;
using System.Runtime.InteropServices;

namespace Benchmarking;

/// <summary>The machine that the figures belong to.</summary>
/// <param name="LoadBefore">Load average of the last minute when the run began: others at work make every figure worse.</param>
public sealed record Machine(int Cores, double MemoryGiB, string Kernel, string Runtime, double LoadBefore)
{
    public static Machine Read()
    {
        var memory = File.ReadLines("/proc/meminfo").First(line => line.StartsWith("MemTotal:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1];
        return new Machine(
            Environment.ProcessorCount,
            Math.Round(Number(memory) / (1 << 20), 1),
            File.ReadAllText("/proc/sys/kernel/osrelease").Trim(),
            RuntimeInformation.FrameworkDescription,
            Number(File.ReadAllText("/proc/loadavg").Split(' ')[0]));
    }

    public override string ToString() =>
        FormattableString.Invariant($"{Cores} cores, {MemoryGiB:N1} GiB, Linux {Kernel}, {Runtime}, load {LoadBefore:N1} before the run");

    private static double Number(string text) => double.Parse(text, CultureInfo.InvariantCulture);
}
