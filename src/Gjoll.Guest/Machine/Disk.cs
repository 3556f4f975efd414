using Gjoll.Guest.Kernel;

namespace Gjoll.Guest.Machine;

internal static unsafe class Disk
{
    /// <summary>Lets the file system of the root fill its disk, by the kernel's own words: no program of the image is needed.</summary>
    /// <returns>What went wrong.</returns>
    public static string? Grow(string device)
    {
        const nuint GetSize = 0x8008_1272;
        const nuint ResizeExt4 = 0x4008_6610;
        var disk = Descriptors.TryOpen(device, Libc.O_RDONLY);
        var root = Descriptors.TryOpen("/", Libc.O_RDONLY | Libc.O_DIRECTORY);
        ulong bytes = 0;
        var blockSize = BlockSize(root);
        var isKnown = disk >= 0 && root >= 0 && blockSize > 0 && Libc.ioctl(disk, GetSize, &bytes) == 0;
        var blocks = isKnown ? bytes / (ulong)blockSize : 0;
        var error = isKnown && Libc.ioctl(root, ResizeExt4, &blocks) == 0 ? 0 : Errno.Last;
        Descriptors.Close(ref disk);
        Descriptors.Close(ref root);
        return error == 0 ? null : $"the file system could not be grown: {Errno.Words(error)}";
    }

    private static long BlockSize(int root)
    {
        // struct statfs begins with type (8) and block size (8).
        var status = stackalloc long[16];
        return root >= 0 && Libc.fstatfs(root, status) == 0 ? status[1] : 0;
    }
}
