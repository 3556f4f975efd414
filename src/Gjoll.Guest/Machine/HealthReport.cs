using System.Globalization;
using System.Text;
using Gjoll.Guest.Kernel;
using Gjoll.Wire;

namespace Gjoll.Guest.Machine;

internal static class HealthReport
{
    public const string AgentVersion = "1";

    public static GuestHealth Make(int programs) =>
        new(AgentVersion, Text("/proc/sys/kernel/random/boot_id"), Clock.Read(Libc.CLOCK_BOOTTIME) / 1e9, MemoryAvailable(), DiskFree(), programs);

    private static string Text(string path) => Encoding.UTF8.GetString(Descriptors.TryReadFile(path) ?? []).Trim();

    private static long MemoryAvailable()
    {
        // MemAvailable:   123456 kB
        const string Name = "MemAvailable:";
        var line = Text("/proc/meminfo").Split('\n').FirstOrDefault(line => line.StartsWith(Name, StringComparison.Ordinal));
        return line is not null && long.TryParse(line[Name.Length..].Replace("kB", "", StringComparison.Ordinal), NumberStyles.AllowLeadingWhite | NumberStyles.AllowTrailingWhite, CultureInfo.InvariantCulture, out var kilobytes)
            ? kilobytes * 1024
            : 0;
    }

    private static long DiskFree()
    {
        try
        {
            return new DriveInfo("/").AvailableFreeSpace;
        }
        catch (IOException)
        {
            return 0;
        }
        catch (UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
