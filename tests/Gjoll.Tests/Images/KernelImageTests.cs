using System.Buffers.Binary;
using System.Diagnostics;
using System.IO.Compression;
using Gjoll.Images;

namespace Gjoll.Tests.Images;

public sealed class KernelImageTests
{
    private static readonly byte[] _kernel = [.. "\u007fELF"u8, .. Enumerable.Range(0, 200_000).Select(number => (byte)(number / 977))];

    [Fact]
    public async Task Kernel_IsUnpackedFromLz4()
    {
        // One block: literals only, then a match that repeats them, then the last literals.
        byte[] block = [0x4f, .. "\u007fELF"u8, 0x04, 0x00, 0x0d, 0x20, (byte)'e', (byte)'n'];
        byte[] packed = [0x02, 0x21, 0x4c, 0x18, (byte)block.Length, 0, 0, 0, .. block];

        var kernel = await KernelImage.UnpackAsync(Image([.. packed, 0x26, 0, 0, 0]), CancellationToken.None);

        // 4 literals, a match of 15 + 13 + 4 bytes, 2 literals.
        Assert.Equal([.. Enumerable.Repeat("\u007fELF"u8.ToArray(), 9).SelectMany(part => part), (byte)'e', (byte)'n'], kernel);
    }

    [Fact]
    public async Task Kernel_IsUnpackedFromGzip()
    {
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync(_kernel);
        }

        Assert.Equal(_kernel, await KernelImage.UnpackAsync(Image(packed.ToArray()), CancellationToken.None));
    }

    [Theory]
    [InlineData("xz")]
    [InlineData("zstd")]
    public async Task Kernel_IsUnpackedByTheHostsPrograms(string program)
    {
        var packed = await PackAsync(program);

        Assert.Equal(_kernel, await KernelImage.UnpackAsync(Image([.. packed, 0x44, 0x0d, 0x03, 0x00]), CancellationToken.None));
    }

    [Fact]
    public async Task Kernel_IsTakenAsItIsWhenNotPacked() => Assert.Equal(_kernel, await KernelImage.UnpackAsync(_kernel, CancellationToken.None));

    [Theory]
    [InlineData("not packed", "packed in a way that is not known")]
    [InlineData("cut", "cut short")]
    [InlineData("old", "too old")]
    [InlineData("text", "neither an ELF file nor a bzImage")]
    [InlineData("no elf", "no ELF file")]
    [InlineData("broken lz4", "cannot be unpacked")]
    [InlineData("outside", "cannot be unpacked")]
    public async Task Kernel_IsRefusedWhenItIsNone(string fault, string text)
    {
        var image = fault switch
        {
            "cut" => Image(new byte[64])[..^32],
            "old" => Version(Image(new byte[64]), 0x0207),
            "text" => "no kernel at all"u8.ToArray(),
            "no elf" => Image([0x02, 0x21, 0x4c, 0x18, 5, 0, 0, 0, 0x40, 1, 2, 3, 4, 4, 0, 0, 0]),
            "broken lz4" => Image([0x02, 0x21, 0x4c, 0x18, 0xff, 0xff, 0, 0, 0x40, 1, 2, 3, 4, 4, 0, 0, 0]),
            "outside" => Image([0x02, 0x21, 0x4c, 0x18, 7, 0, 0, 0, 0x40, 1, 2, 3, 4, 9, 0, 0, 0, 0, 0]),
            _ => Image("some other packer"u8.ToArray()),
        };

        var refused = await Assert.ThrowsAsync<GjollException>(() => KernelImage.UnpackAsync(image, CancellationToken.None));
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    /// <summary>One sector of setup after the first, then the payload, a little behind the start of the protected part.</summary>
    private static byte[] Image(byte[] payload)
    {
        const int behind = 100;
        var image = new byte[1024 + behind + payload.Length];
        image[0x1f1] = 1;
        "HdrS"u8.CopyTo(image.AsSpan(0x202));
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x248), behind);
        BinaryPrimitives.WriteUInt32LittleEndian(image.AsSpan(0x24c), (uint)payload.Length);
        payload.CopyTo(image, 1024 + behind);
        return Version(image, 0x020f);
    }

    private static byte[] Version(byte[] image, ushort version)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(image.AsSpan(0x206), version);
        return image;
    }

    private static async Task<byte[]> PackAsync(string program)
    {
        using var process = Process.Start(new ProcessStartInfo(program, ["--stdout"]) { RedirectStandardInput = true, RedirectStandardOutput = true })!;
        var output = new MemoryStream();
        var reading = process.StandardOutput.BaseStream.CopyToAsync(output);
        await process.StandardInput.BaseStream.WriteAsync(_kernel);
        process.StandardInput.Close();
        await reading;
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return output.ToArray();
    }
}
