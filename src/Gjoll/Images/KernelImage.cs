using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using Gjoll.Hosts;

namespace Gjoll.Images;

/// <summary>
/// Takes the uncompressed kernel out of a bzImage. QEMU boots it directly, which saves the guest the unpacking. Offsets are those of the x86 boot protocol:
/// <code>0x1f1 setup_sects (1) | 0x202 "HdrS" (4) | 0x206 version (2) | 0x248 payload_offset (4) | 0x24c payload_length (4)</code>
/// </summary>
internal static class KernelImage
{
    private const int SectorSize = 512;
    private const int FirstVersionWithPayload = 0x0208;
    private const int HeaderEnd = 0x250;

    // All packers but gzip are followed by the unpacked length, which their programs take for garbage.
    private const int AppendedLength = 4;

    public static async Task<byte[]> UnpackAsync(byte[] image, CancellationToken cancellationToken)
    {
        if (IsElf(image))
        {
            return image;
        }

        var payload = Payload(image);
        var kernel = await UnpackPayloadAsync(payload, cancellationToken);
        return IsElf(kernel) ? kernel : throw new GjollException("What the kernel's image unpacks to is no ELF file.");
    }

    private static ReadOnlyMemory<byte> Payload(byte[] image)
    {
        if (image.Length < HeaderEnd || !image.AsSpan(0x202, 4).SequenceEqual("HdrS"u8))
        {
            throw new GjollException("The kernel is neither an ELF file nor a bzImage.");
        }

        var version = BinaryPrimitives.ReadUInt16LittleEndian(image.AsSpan(0x206));
        if (version < FirstVersionWithPayload)
        {
            throw new GjollException($"The kernel's boot protocol {version >> 8}.{version & 0xff:00} is too old; 2.08 or later is needed.");
        }

        var setupSectors = image[0x1f1] == 0 ? 4 : image[0x1f1];
        var offset = ((setupSectors + 1L) * SectorSize) + BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(0x248));
        var length = (long)BinaryPrimitives.ReadUInt32LittleEndian(image.AsSpan(0x24c));
        return length >= 8 && offset + length <= image.Length
            ? image.AsMemory((int)offset, (int)length)
            : throw new GjollException("The kernel's image is cut short.");
    }

    private static async Task<byte[]> UnpackPayloadAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        var magic = BinaryPrimitives.ReadUInt32BigEndian(payload.Span);
        try
        {
            return magic switch
            {
                0x02214c18 => Lz4Legacy.Unpack(payload.Span[..^AppendedLength]),
                0xfd377a58 => await FilterAsync(["xz", "--decompress", "--stdout"], payload[..^AppendedLength], cancellationToken),
                0x28b52ffd => await FilterAsync(["zstd", "--decompress", "--stdout", "--quiet"], payload[..^AppendedLength], cancellationToken),
                _ when magic >> 16 == 0x1f8b => await GunzipAsync(payload, cancellationToken),
                _ => throw new GjollException($"The kernel is packed in a way that is not known (it starts with {magic:x8})."),
            };
        }
        catch (InvalidDataException broken)
        {
            throw new GjollException($"The kernel's image cannot be unpacked: {broken.Message}", isTransient: false, broken);
        }
    }

    private static async Task<byte[]> GunzipAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        await using var gzip = new GZipStream(new MemoryStream(payload.ToArray()), CompressionMode.Decompress);
        var output = new MemoryStream();
        await gzip.CopyToAsync(output, cancellationToken);
        return output.ToArray();
    }

    private static async Task<byte[]> FilterAsync(IReadOnlyList<string> command, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        var process = HostProcess.Start(command, new Dictionary<string, string> { ["LC_ALL"] = "C" });
        try
        {
            var output = new MemoryStream();
            var error = new TailBuffer(4 * 1024);
            await Task.WhenAll(
                FeedAsync(process, input, cancellationToken),
                process.StandardOutput.BaseStream.CopyToAsync(output, cancellationToken),
                error.ReadAllAsync(process.StandardError.BaseStream, cancellationToken));
            await process.WaitForExitAsync(cancellationToken);
            return process.ExitCode == 0 ? output.ToArray() : throw new GjollException($"{command[0]} could not unpack the kernel: {error.ToString().Trim()}");
        }
        catch (OperationCanceledException)
        {
            process.Kill();
            throw;
        }
        finally
        {
            HostProcess.Release(process);
        }
    }

    private static async Task FeedAsync(Process process, ReadOnlyMemory<byte> input, CancellationToken cancellationToken)
    {
        try
        {
            await process.StandardInput.BaseStream.WriteAsync(input, cancellationToken);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended before it had read all; its exit code says why.
        }
    }

    private static bool IsElf(ReadOnlySpan<byte> bytes) => bytes.Length > 4 && bytes[..4].SequenceEqual("\u007fELF"u8);
}
