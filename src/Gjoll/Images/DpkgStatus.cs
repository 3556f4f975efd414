using System.Text;

namespace Gjoll.Images;

internal sealed record DebianPackage(string Name, string Version, string Architecture, string Source);

/// <summary>The installed packages of a tree, from dpkg's own record.</summary>
internal static class DpkgStatus
{
    public const string Path = "var/lib/dpkg/status";

    // Package: git / Status: install ok installed / Architecture: amd64 / Source: git (1:2.39.5-0) / Version: 1:2.39.5-0+deb12u2; an empty line ends one.
    public static IReadOnlyList<DebianPackage> Read(byte[] content) =>
        [.. Encoding.UTF8.GetString(content).Split("\n\n", StringSplitOptions.RemoveEmptyEntries)
            .Select(stanza => stanza.Split('\n').Where(line => line.Length > 0 && line[0] != ' ' && line.Contains(": ", StringComparison.Ordinal))
                .ToDictionary(line => line[..line.IndexOf(": ", StringComparison.Ordinal)], line => line[(line.IndexOf(": ", StringComparison.Ordinal) + 2)..], StringComparer.Ordinal))
            .Where(fields => fields.GetValueOrDefault("Status", "").EndsWith(" installed", StringComparison.Ordinal))
            .Select(fields => new DebianPackage(fields["Package"], fields["Version"], fields["Architecture"], fields.GetValueOrDefault("Source", fields["Package"]).Split(' ')[0]))
            .OrderBy(package => package.Name, StringComparer.Ordinal).ThenBy(package => package.Architecture, StringComparer.Ordinal)];
}
