namespace Gjoll.Images;

/// <summary>
/// Where Debian's packages come from: what this machine's own apt is told, so that a mirror or a snapshot that its owner chose is used, and no address is
/// ours. Only entries for the image's suite count; other archives that the machine uses never get into an image.
/// </summary>
internal static class AptSources
{
    private const string HostFolder = "/etc/apt";

    /// <summary>The entries in each of apt's two ways to write them.</summary>
    public static (string Lines, string Stanzas) Read(string suite, string? file = null, string hostFolder = HostFolder)
    {
        string[] files = file is not null ? [file] : [.. HostFiles(hostFolder)];
        var lines = string.Concat(files.Where(path => !IsStanzas(path)).SelectMany(path => Lines(path, suite)).Select(line => line + "\n"));
        var stanzas = string.Concat(files.Where(IsStanzas).SelectMany(path => Stanzas(path, suite)).Select(stanza => stanza + "\n\n"));
        return lines.Length + stanzas.Length > 0
            ? (lines, stanzas)
            : throw new GjollException($"apt on this machine has no source for Debian {suite}; add one, or name a file with sources.");
    }

    private static IEnumerable<string> HostFiles(string folder)
    {
        var parts = Path.Combine(folder, "sources.list.d");
        IEnumerable<string> more = Directory.Exists(parts) ? Directory.GetFiles(parts).Order(StringComparer.Ordinal) : [];
        return more.Prepend(Path.Combine(folder, "sources.list"))
            .Where(path => File.Exists(path) && Path.GetExtension(path) is ".list" or ".sources");
    }

    private static bool IsStanzas(string path) => Path.GetExtension(path) == ".sources";

    // deb [signed-by=/usr/share/keyrings/k.gpg] URI bookworm main
    private static IEnumerable<string> Lines(string path, string suite)
    {
        foreach (var line in File.ReadLines(path).Select(line => line.Split('#')[0].Trim()).Where(line => line.StartsWith("deb ", StringComparison.Ordinal)))
        {
            var bracket = line.IndexOf(']', StringComparison.Ordinal);
            var words = (bracket < 0 ? line[4..] : line[(bracket + 1)..]).Split(' ', StringSplitOptions.RemoveEmptyEntries);
            if (words.Length > 1 && IsOf(words[1], suite))
            {
                yield return line;
            }
        }
    }

    // Types: deb / URIs: … / Suites: bookworm bookworm-updates / Components: main / Signed-By: …; stanzas are parted by empty lines.
    private static IEnumerable<string> Stanzas(string path, string suite)
    {
        foreach (var stanza in File.ReadAllText(path).ReplaceLineEndings("\n").Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            var lines = stanza.Split('\n').Where(line => line.Length > 0 && !line.StartsWith('#')).ToList();
            var types = Field(lines, "Types");
            var suites = Field(lines, "Suites");
            if (types.Contains("deb") && suites.Length > 0 && Array.TrueForAll(suites, name => IsOf(name, suite)) && !Field(lines, "Enabled").Contains("no"))
            {
                yield return string.Join('\n', lines.Select(line => line.StartsWith("Types:", StringComparison.OrdinalIgnoreCase) ? "Types: deb" : line));
            }
        }
    }

    private static string[] Field(List<string> lines, string name) =>
        lines.Find(line => line.StartsWith(name + ":", StringComparison.OrdinalIgnoreCase))?[(name.Length + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries) ?? [];

    private static bool IsOf(string name, string suite) => name == suite || (name.StartsWith(suite + "-", StringComparison.Ordinal) && !name.Contains("backports", StringComparison.Ordinal));
}
