using System.Globalization;
using System.Text;

namespace Gjoll.Images;

/// <summary>A folder of the building machine as an input: what is in it, by digest.</summary>
internal sealed record HostFolder(HostFolderDefinition Definition, string Path, IReadOnlyList<HostFile> Files)
{
    public string ContentDigest { get; } = Digest.Of(string.Concat(Files.Select(file => $"{file.Name}\0{file.LinkTo}\0{file.Executable}\0{file.Sha256}\n")));

    public static async Task<HostFolder> ReadAsync(HostFolderDefinition definition, CancellationToken cancellationToken)
    {
        var folder = definition.From.FirstOrDefault(Directory.Exists)
            ?? throw new GjollException($"This machine has none of the folders {string.Join(", ", definition.From)}, of which the image takes one; install what brings it, or build a variant without it.");
        var files = new List<HostFile>();
        await AddAsync(new DirectoryInfo(folder), "");
        return new HostFolder(definition, folder, files);

        async Task AddAsync(DirectoryInfo level, string prefix)
        {
            foreach (var item in level.GetFileSystemInfos().OrderBy(item => item.Name, StringComparer.Ordinal))
            {
                if (prefix.Length == 0 && definition.Without.Contains(item.Name))
                {
                    continue;
                }

                var name = prefix + item.Name;
                if (item.LinkTarget is { } target)
                {
                    files.Add(new HostFile(name, target, Executable: false, Length: 0, Sha256: ""));
                }
                else if (item is DirectoryInfo inner)
                {
                    await AddAsync(inner, name + "/");
                }
                else
                {
                    var executable = (item.UnixFileMode & UnixFileMode.UserExecute) != 0;
                    files.Add(new HostFile(name, null, executable, ((FileInfo)item).Length, await Digest.OfFileAsync(item.FullName, cancellationToken)));
                }
            }
        }
    }

    /// <summary>What stands below a folder with a version for its name, such as <c>sdk/10.0.100</c>; null when nothing does.</summary>
    public string? Version(string below) => Files
        .Select(file => file.Name.Split('/'))
        .Where(parts => parts.Length > 2 && parts[0] == below && char.IsAsciiDigit(parts[1][0]))
        .Select(parts => parts[1])
        .Distinct()
        .OrderBy(version => Comparable(version), StringComparer.Ordinal)
        .LastOrDefault();

    private static string Comparable(string version) =>
        string.Concat(version.Split('.').Select(part => new StringBuilder().Append(CultureInfo.InvariantCulture, $"{part.PadLeft(8, '0')}.")));
}

internal sealed record HostFile(string Name, string? LinkTo, bool Executable, long Length, string Sha256);
