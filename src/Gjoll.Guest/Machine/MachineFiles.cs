using System.Buffers.Binary;
using System.Text;
using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Machine;

/// <summary>What tells one machine from another. Each gives in words what could not be done, or null.</summary>
internal static unsafe class MachineFiles
{
    private const int MaxEntropy = 512;

    /// <summary>Into the kernel's pool: counted as such where that is allowed, else mixed in only.</summary>
    public static string? AddEntropy(string base64)
    {
        // struct rand_pool_info: bits (4), bytes (4), and they.
        var pool = new byte[8 + MaxEntropy];
        if (!Convert.TryFromBase64String(base64, pool.AsSpan(8), out var length))
        {
            return "the entropy is not base64 of a few bytes";
        }

        BinaryPrimitives.WriteInt32LittleEndian(pool, length * 8);
        BinaryPrimitives.WriteInt32LittleEndian(pool.AsSpan(4), length);
        var descriptor = Descriptors.TryOpen("/dev/urandom", Libc.O_WRONLY);
        if (descriptor < 0)
        {
            return "the kernel's random numbers cannot be reached";
        }

        fixed (byte* bytes = pool)
        {
            var isTaken = (Libc.geteuid() == 0 && Libc.ioctl(descriptor, Libc.RNDADDENTROPY, bytes) == 0)
                || Libc.write(descriptor, bytes + 8, (nuint)length) == length;
            Descriptors.Close(ref descriptor);
            return isTaken ? null : "the kernel did not take the entropy";
        }
    }

    public static string? SetClock(long microseconds)
    {
        var time = new TimeSpec { Seconds = microseconds / 1_000_000, Nanoseconds = microseconds % 1_000_000 * 1000 };
        return microseconds > 0 && Libc.clock_settime(Libc.CLOCK_REALTIME, &time) == 0 ? null : "the clock could not be set";
    }

    public static string? SetHostname(string name)
    {
        const int MaxLength = 63;
        if (name.Length is 0 or > MaxLength || !name.All(letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '.'))
        {
            return "the host name is not one";
        }

        var bytes = Encoding.ASCII.GetBytes(name);
        fixed (byte* source = bytes)
        {
            if (Libc.sethostname(source, (nuint)bytes.Length) != 0)
            {
                return $"the host name could not be set: {Errno.Words(Errno.Last)}";
            }
        }

        return Write("/etc/hostname", $"{name}\n") ?? Write("/etc/hosts", $"127.0.0.1\tlocalhost\n127.0.1.1\t{name}\n::1\tlocalhost ip6-localhost ip6-loopback\n");
    }

    public static string? SetMachineId(string id) =>
        id.Length == 32 && id.All(char.IsAsciiHexDigitLower) ? Write("/etc/machine-id", $"{id}\n") : "the machine id is not one";

    private static string? Write(string path, string text)
    {
        var error = Descriptors.TryWriteFile(path, Encoding.UTF8.GetBytes(text), Libc.O_WRONLY | Libc.O_CREAT | Libc.O_TRUNC);
        return error == 0 ? null : $"write {path}: {Errno.Words(error)}";
    }
}
