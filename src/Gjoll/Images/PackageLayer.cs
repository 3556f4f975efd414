namespace Gjoll.Images;

/// <summary>
/// Debian's packages, installed into an empty tree that is kept as one tar. It is made again only when what is asked for changes, or when the caller wants
/// what Debian has now.
/// </summary>
internal sealed class PackageLayer(string cacheFolder, string workFolder, Workshop workshop)
{
    // Raised when the way a tree is made changes, so that old ones are not used again.
    private const string Recipe = "1";

    // dpkg writes and removes tens of thousands of files, each with care for a crash that would throw all of them away anyway. The mount goes with its namespace.
    private const string HoldInMemory = """
        set -euo pipefail
        export TMPDIR=$1
        if [ "$2" = memory ]; then mount -t tmpfs -o mode=755 tmpfs "$1"; fi
        shift 2
        exec "$@"
        """;

    /// <summary>The tar, and whether it was made just now.</summary>
    public async Task<(string Tar, bool Made)> ProvideAsync(ImageDefinition definition, IReadOnlyList<string> packages, string? sourcesFile, bool refresh, long room, CancellationToken cancellationToken)
    {
        var (lines, stanzas) = AptSources.Read(definition.Suite, sourcesFile);
        var key = Digest.Of(string.Join('\n', [Recipe, definition.Suite, definition.Architecture, $"{definition.Timestamp:O}", lines, stanzas, .. packages]));
        var layer = Path.Combine(cacheFolder, "packages", key + ".tar");
        if (!refresh && File.Exists(layer))
        {
            return (layer, false);
        }

        Directory.CreateDirectory(Path.GetDirectoryName(layer)!);
        var downloads = Directory.CreateDirectory(Path.Combine(cacheFolder, "debs")).FullName;
        var made = Path.Combine(workFolder, "packages.tar");
        List<string> command =
        [
            "/bin/bash", "-c", HoldInMemory, "gjoll", Directory.CreateDirectory(Path.Combine(workFolder, "scratch")).FullName, Workshop.ScratchFor(room),
            "mmdebstrap", "--variant=minbase", "--mode=root", "--format=tar", $"--architectures={definition.Architecture}",
            "--include=" + string.Join(',', packages),
            // In these namespaces there is no other user to download as who could read the folder.
            "--aptopt=APT::Sandbox::User \"root\"",
            // What a crash could lose here is thrown away anyway.
            "--dpkgopt=force-unsafe-io",
            // A package that is downloaded once is not again; apt holds each against the signed index's size before it uses it.
            "--skip=download/empty,essential/unlink",
            $"--setup-hook=mkdir -p \"$1/var/cache/apt/archives\" && find '{downloads}' -name '*.deb' -exec cp --reflink=auto -t \"$1/var/cache/apt/archives\" {{}} +",
            $"--customize-hook=find \"$1/var/cache/apt/archives\" -maxdepth 1 -name '*.deb' -exec cp --update --reflink=auto -t '{downloads}' {{}} +",
            definition.Suite, made,
        ];
        command.AddRange(await WriteSourcesAsync(lines, stanzas, cancellationToken));
        await workshop.RunAsync(command, network: true, cancellationToken);
        File.Move(made, layer, overwrite: true);
        return (layer, true);
    }

    private async Task<IReadOnlyList<string>> WriteSourcesAsync(string lines, string stanzas, CancellationToken cancellationToken)
    {
        var files = new List<string>();
        foreach (var (name, content) in new[] { ("debian.list", lines), ("debian.sources", stanzas) }.Where(file => file.Item2.Length > 0))
        {
            files.Add(Path.Combine(workFolder, name));
            await File.WriteAllTextAsync(files[^1], content, cancellationToken);
        }

        return files;
    }
}
