namespace Gjoll.Guest.Kernel;

/// <summary>Small steps with file descriptors. All are closed on exec.</summary>
internal static unsafe class Descriptors
{
    public static int Open(string path, int flags)
    {
        var descriptor = TryOpen(path, flags);
        return descriptor >= 0 ? descriptor : throw new SystemCallException($"open {path}", Errno.Last);
    }

    /// <returns>Negative when it failed.</returns>
    public static int TryOpen(string path, int flags)
    {
        const uint ModeOfNew = 0x1a4;
        fixed (byte* bytes = Utf8.Zero(path))
        {
            return Libc.open(bytes, flags | Libc.O_CLOEXEC, ModeOfNew);
        }
    }

    public static (int Read, int Write) Pipe()
    {
        var both = stackalloc int[2];
        return Libc.pipe2(both, Libc.O_CLOEXEC) == 0 ? (both[0], both[1]) : throw new SystemCallException("make a pipe", Errno.Last);
    }

    public static void MakeNonBlocking(int descriptor)
    {
        var flags = Libc.fcntl(descriptor, Libc.F_GETFL, 0);
        if (flags < 0 || Libc.fcntl(descriptor, Libc.F_SETFL, flags | Libc.O_NONBLOCK) < 0)
        {
            throw new SystemCallException("make a descriptor non-blocking", Errno.Last);
        }
    }

    public static void Close(ref int descriptor)
    {
        if (descriptor >= 0)
        {
            _ = Libc.close(descriptor);
            descriptor = -1;
        }
    }

    /// <summary>A small file of the kernel or of /etc: at most <paramref name="limit"/> bytes of it; null when it cannot be read.</summary>
    public static byte[]? TryReadFile(string path, int limit = 64 * 1024)
    {
        var descriptor = TryOpen(path, Libc.O_RDONLY | Libc.O_NOCTTY | Libc.O_NONBLOCK);
        if (descriptor < 0)
        {
            return null;
        }

        var content = new byte[Math.Min(limit, 4096)];
        var length = 0;
        while (true)
        {
            if (length == content.Length)
            {
                if (length == limit)
                {
                    break;
                }

                Array.Resize(ref content, Math.Min(limit, length * 2));
            }

            nint count;
            fixed (byte* target = &content[length])
            {
                count = Libc.read(descriptor, target, (nuint)(content.Length - length));
            }

            if (count <= 0)
            {
                break;
            }

            length += (int)count;
        }

        _ = Libc.close(descriptor);
        return content[..length];
    }

    /// <summary>Writes it in one go, as the files of the kernel want it. Gives the error, 0 for none.</summary>
    public static int TryWriteFile(string path, ReadOnlySpan<byte> content, int flags = Libc.O_WRONLY)
    {
        var descriptor = TryOpen(path, flags | Libc.O_NOCTTY);
        if (descriptor < 0)
        {
            return Errno.Last;
        }

        fixed (byte* source = content)
        {
            var error = Libc.write(descriptor, source, (nuint)content.Length) == content.Length ? 0 : Errno.Last;
            _ = Libc.close(descriptor);
            return error;
        }
    }
}
