using System.Formats.Tar;

namespace Gjoll.Images;

/// <summary>Small files out of the tar of a tree.</summary>
internal static class TreeFiles
{
    private const int MaxLength = 32 << 20;

    /// <summary>By name without a leading slash.</summary>
    public static async Task<IReadOnlyDictionary<string, byte[]>> ReadAsync(string tree, Func<string, bool> wanted, CancellationToken cancellationToken)
    {
        var found = new Dictionary<string, byte[]>(StringComparer.Ordinal);
        await using var stream = File.OpenRead(tree);
        await using var reader = new TarReader(stream);
        while (await reader.GetNextEntryAsync(copyData: false, cancellationToken) is { } entry)
        {
            var name = entry.Name.StartsWith("./", StringComparison.Ordinal) ? entry.Name[2..] : entry.Name;
            if (entry.DataStream is not null && entry.Length <= MaxLength && wanted(name))
            {
                var content = new byte[entry.Length];
                await entry.DataStream.ReadExactlyAsync(content, cancellationToken);
                found[name] = content;
            }
        }

        return found;
    }
}
