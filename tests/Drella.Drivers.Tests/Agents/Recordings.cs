using System.Formats.Tar;
using System.IO.Compression;

namespace Drella.Drivers.Tests.Agents;

internal static class Recordings
{
    public static string DataFolder { get; } = Path.Combine(AppContext.BaseDirectory, "Agents", "data");

    public static IReadOnlyDictionary<string, byte[]> Claude { get; } = Read("claude-2.1.330.tar.gz");

    public static IReadOnlyDictionary<string, byte[]> Foreign { get; } = Read("foreign.tar.gz");

    public static IEnumerable<byte[]> Lines(byte[] stream)
    {
        for (var rest = stream.AsMemory(); !rest.IsEmpty;)
        {
            var end = rest.Span.IndexOf((byte)'\n');
            yield return (end < 0 ? rest : rest[..end]).ToArray();
            rest = end < 0 ? default : rest[(end + 1)..];
        }
    }

    private static Dictionary<string, byte[]> Read(string file)
    {
        using var tar = new TarReader(new GZipStream(File.OpenRead(Path.Combine(DataFolder, file)), CompressionMode.Decompress));
        var read = new Dictionary<string, byte[]>();
        while (tar.GetNextEntry() is { } entry)
        {
            var bytes = new MemoryStream();
            entry.DataStream?.CopyTo(bytes);
            read[Path.GetFileNameWithoutExtension(entry.Name)] = bytes.ToArray();
        }

        return read;
    }
}
