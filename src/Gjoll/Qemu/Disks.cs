using System.Globalization;
using Gjoll.Hosts;

namespace Gjoll.Qemu;

/// <summary>Disk images, by QEMU's own tool. It never opens what a guest has written: a new layer is made from its size and the place of what lies below.</summary>
internal static class Disks
{
    /// <summary>An empty layer over a disk that is only named, as QEMU will see it in its jail.</summary>
    public static Task MakeLayerAsync(string path, string below, bool belowIsRaw, long bytes, CancellationToken cancellationToken) =>
        HostProcess.RunAsync(
            ["qemu-img", "create", "-q", "-f", "qcow2", "-u", "-b", below, "-F", belowIsRaw ? "raw" : "qcow2", path, bytes.ToString(CultureInfo.InvariantCulture)],
            cancellationToken);

    /// <summary>Sparse, and sharing blocks where the file system can; the copy is its owner's to write, whatever the original is.</summary>
    public static async Task CopyAsync(string from, string to, CancellationToken cancellationToken)
    {
        await HostProcess.RunAsync(["cp", "--reflink=auto", "--sparse=always", "--", from, to], cancellationToken);
        File.SetUnixFileMode(to, UnixFileMode.UserRead | UnixFileMode.UserWrite);
    }

    /// <summary>What it takes on the host.</summary>
    public static async Task<long> MeasureAsync(string folder, CancellationToken cancellationToken) =>
        long.Parse((await HostProcess.RunAsync(["du", "-sx", "--block-size=1", folder], cancellationToken)).Split('\t')[0], CultureInfo.InvariantCulture);
}
