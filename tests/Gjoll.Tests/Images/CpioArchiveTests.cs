using System.Text;
using Gjoll.Images;

namespace Gjoll.Tests.Images;

public sealed class CpioArchiveTests
{
    private static readonly DateTimeOffset _time = DateTimeOffset.FromUnixTimeSeconds(0x12345678);

    [Fact]
    public void Archive_HasTheBytesOfTheFormat()
    {
        var archive = new CpioArchive(_time);
        archive.AddFile("init", "abcde"u8, executable: true);
        archive.AddFolder("d");

        var text = Encoding.Latin1.GetString(archive.Finish());

        const string file = "070701" + "00000001" + "000081ed" + "00000000" + "00000000" + "00000001" + "12345678" + "00000005"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000005" + "00000000" + "init\0" + "\0" + "abcde" + "\0\0\0";
        const string folder = "070701" + "00000002" + "000041ed" + "00000000" + "00000000" + "00000002" + "12345678" + "00000000"
            + "00000000" + "00000000" + "00000000" + "00000000" + "00000002" + "00000000" + "d\0";
        Assert.StartsWith(file + folder, text, StringComparison.Ordinal);
        Assert.Contains("TRAILER!!!\0", text, StringComparison.Ordinal);
        Assert.Equal(0, text.Length % 512);
    }

    [Fact]
    public void RamDisk_HoldsTheAgentAndTheModulesInTheirOrder()
    {
        var disk = InitialRamDisk.Make("agent"u8, [("virtio.ko", "one"u8.ToArray()), ("virtio_blk.ko", "two"u8.ToArray())], _time);

        var text = Encoding.Latin1.GetString(disk);
        Assert.Contains("virtio.ko\nvirtio_blk.ko\n", text, StringComparison.Ordinal);
        Assert.Contains("modules/virtio_blk.ko\0", text, StringComparison.Ordinal);
        Assert.Equal(disk, InitialRamDisk.Make("agent"u8, [("virtio.ko", "one"u8.ToArray()), ("virtio_blk.ko", "two"u8.ToArray())], _time));
    }
}
