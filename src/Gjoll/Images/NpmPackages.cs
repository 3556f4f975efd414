using System.Security.Cryptography;

namespace Gjoll.Images;

/// <summary>Packages of the npm registry, fetched by its own client, so that this machine's configuration decides from where. A tarball is used only when its bytes are those that the definition pins.</summary>
internal sealed class NpmPackages(string cacheFolder, string workFolder, Workshop workshop)
{
    /// <summary>The tarball, and whether it was fetched just now.</summary>
    public async Task<(string Tarball, bool Fetched)> ProvideAsync(NpmDefinition package, CancellationToken cancellationToken)
    {
        var expected = package.Integrity["sha512-".Length..];
        var folder = Directory.CreateDirectory(Path.Combine(cacheFolder, "npm")).FullName;
        var tarball = Path.Combine(folder, Digest.Of(package.Integrity) + ".tgz");
        if (File.Exists(tarball) && await IntegrityAsync(tarball, cancellationToken) == expected)
        {
            return (tarball, false);
        }

        var target = Directory.CreateDirectory(Path.Combine(workFolder, "npm")).FullName;
        await workshop.RunPlainAsync(
            [
                "npm", "pack", $"{package.Package}@{package.Version}", "--pack-destination", target, "--ignore-scripts",
                "--no-audit", "--no-fund", "--no-update-notifier", "--cache", Path.Combine(workFolder, "npm-cache"),
            ],
            cancellationToken);
        var fetched = Directory.GetFiles(target, "*.tgz") is [var single] ? single : throw new GjollException($"npm fetched no tarball for {package.Package}@{package.Version}.");
        var actual = await IntegrityAsync(fetched, cancellationToken);
        if (actual != expected)
        {
            File.Delete(fetched);
            throw new GjollException($"{package.Package}@{package.Version} is not what the definition pins: its integrity is sha512-{actual}, not {package.Integrity}.");
        }

        File.Move(fetched, tarball, overwrite: true);
        Directory.Delete(Path.Combine(workFolder, "npm-cache"), recursive: true);
        return (tarball, true);
    }

    private static async Task<string> IntegrityAsync(string path, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        return Convert.ToBase64String(await SHA512.HashDataAsync(file, cancellationToken));
    }
}
