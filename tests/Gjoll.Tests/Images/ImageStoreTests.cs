using System.Formats.Tar;
using System.Security.Cryptography;
using Gjoll.Images;

namespace Gjoll.Tests.Images;

public sealed class ImageStoreTests : IDisposable
{
    private readonly string _folder = TestHost.MakeFolder();

    private ImageStore Store => new(Path.Combine(_folder, "images"));

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Store_OpensByNameVariantAndDigest()
    {
        var small = await AddAsync("small");
        Assert.Equal(small.Digest, (await Store.OpenAsync("tiny", CancellationToken.None)).Digest);

        var normal = await AddAsync("default");
        Assert.Equal(normal.Digest, (await Store.OpenAsync("tiny", CancellationToken.None)).Digest);
        Assert.Equal(small.Digest, (await Store.OpenAsync("tiny:small", CancellationToken.None)).Digest);
        Assert.Equal(small.Digest, (await Store.OpenAsync($"tiny@sha256:{small.Digest}", CancellationToken.None)).Digest);
        Assert.Equal(["default", "small"], (await Store.ListAsync(CancellationToken.None)).Select(image => image.Manifest.Variant));
    }

    [Theory]
    [InlineData("other", "There is no image other")]
    [InlineData("tiny:big", "there is tiny:small")]
    [InlineData("tiny@sha256:0000000000000000000000000000000000000000000000000000000000000000", "There is no image")]
    [InlineData("../tiny", "names no image")]
    [InlineData("tiny:../x", "names no image")]
    [InlineData("tiny@sha256:..", "names no image")]
    [InlineData("", "names no image")]
    [InlineData("Tiny", "names no image")]
    public async Task Store_RefusesWhatIsNotThere(string reference, string text)
    {
        await AddAsync("small");

        var refused = await Assert.ThrowsAsync<GjollException>(() => Store.OpenAsync(reference, CancellationToken.None));
        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ImageManifest.KernelFile)]
    [InlineData(ImageManifest.InitrdFile)]
    [InlineData(ImageManifest.DiskFile)]
    [InlineData(ImageManifest.FileName)]
    public async Task Open_RefusesAFlippedByte(string file)
    {
        var image = await AddAsync("small");
        await Store.OpenAsync("tiny", CancellationToken.None);
        await FlipAsync(Path.Combine(image.Folder, file));

        var refused = await Assert.ThrowsAsync<GjollException>(() => Store.OpenAsync("tiny", CancellationToken.None));

        Assert.Contains(file, refused.Message, StringComparison.Ordinal);
        Assert.Contains("not what was built", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ImageManifest.KernelFile)]
    [InlineData(ImageManifest.InitrdFile)]
    [InlineData(ImageManifest.DiskFile)]
    public async Task Open_RefusesAFileWhoseTimesWereSetBack(string file)
    {
        var image = await AddAsync("small");
        await Store.OpenAsync("tiny", CancellationToken.None);
        var path = Path.Combine(image.Folder, file);
        var before = File.GetLastWriteTimeUtc(path);
        await FlipAsync(path);
        File.SetLastWriteTimeUtc(path, before);

        await Assert.ThrowsAsync<GjollException>(() => Store.OpenAsync("tiny", CancellationToken.None));
    }

    [Fact]
    public async Task Open_HashesEachBootFileOnceForEachStateOfIt()
    {
        var image = await AddAsync("small");
        await Store.OpenAsync("tiny", CancellationToken.None);
        var check = Directory.GetFiles(Path.Combine(Store.Folder, ".checked")).Single();
        var written = File.GetLastWriteTimeUtc(check);

        await Store.OpenAsync("tiny", CancellationToken.None);
        Assert.Equal(written, File.GetLastWriteTimeUtc(check));

        // The same content in another file is another state: it is hashed, found right and remembered.
        var copy = image.Kernel + ".copy";
        File.Copy(image.Kernel, copy);
        File.Move(copy, image.Kernel, overwrite: true);
        await Store.OpenAsync("tiny", CancellationToken.None);
        Assert.NotEqual(written, File.GetLastWriteTimeUtc(check));
    }

    [Fact]
    public async Task Open_RefusesAMissingAndAShortenedFile()
    {
        var image = await AddAsync("small");
        await File.WriteAllBytesAsync(Writable(image.Disk), [1]);
        Assert.Contains("1 bytes instead of", (await Assert.ThrowsAsync<GjollException>(() => Store.OpenAsync("tiny", CancellationToken.None))).Message, StringComparison.Ordinal);

        File.Delete(image.Disk);
        Assert.Contains("disk.ext4 is missing", (await Assert.ThrowsAsync<GjollException>(() => Store.OpenAsync("tiny", CancellationToken.None))).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Open_RefusesAnotherArchitecture()
    {
        await AddAsync("small", architecture: "sparc");

        var refused = await Assert.ThrowsAsync<GjollException>(() => Store.OpenAsync("tiny", CancellationToken.None));

        Assert.Contains($"is for sparc; this machine is {ImageArchitecture.Host}", refused.Message, StringComparison.Ordinal);
        await Store.VerifyAsync("tiny", CancellationToken.None);
    }

    [Fact]
    public async Task Verify_NamesEverythingThatIsWrong()
    {
        var image = await AddAsync("small");
        await FlipAsync(Path.Combine(image.Folder, ImageManifest.SbomFile));
        await FlipAsync(image.Kernel);
        await File.WriteAllTextAsync(Path.Combine(image.Folder, "more"), "x");

        var refused = await Assert.ThrowsAsync<GjollException>(() => Store.VerifyAsync("tiny", CancellationToken.None));

        Assert.All(["vmlinux is not what", "sbom.spdx.json is not what", "more does not belong"], part => Assert.Contains(part, refused.Message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Remove_LeavesNothingOfIt()
    {
        var small = await AddAsync("small");
        await AddAsync("default");

        await Store.RemoveAsync("tiny:small", CancellationToken.None);

        Assert.Equal("default", Assert.Single(await Store.ListAsync(CancellationToken.None)).Manifest.Variant);
        Assert.DoesNotContain(Directory.EnumerateFileSystemEntries(Store.Folder, "*", SearchOption.AllDirectories), path => path.Contains(small.Digest, StringComparison.Ordinal));
        await Store.RemoveAsync("tiny", CancellationToken.None);
        Assert.Empty(Directory.EnumerateFiles(Store.Folder, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Export_WritesTheSameTarEachTime()
    {
        var image = await AddAsync("small");
        var (first, second) = (Path.Combine(_folder, "a.tar"), Path.Combine(_folder, "b.tar"));

        await Store.ExportAsync("tiny", first, CancellationToken.None);
        await Store.ExportAsync("tiny", second, CancellationToken.None);

        Assert.Equal(await File.ReadAllBytesAsync(first), await File.ReadAllBytesAsync(second));
        await TarFile.ExtractToDirectoryAsync(first, Directory.CreateDirectory(Path.Combine(_folder, "out")).FullName, overwriteFiles: false);
        Assert.Equal(image.Digest, Convert.ToHexStringLower(SHA256.HashData(await File.ReadAllBytesAsync(Path.Combine(_folder, "out", ImageManifest.FileName)))));
        Assert.Equal(5, Directory.GetFiles(Path.Combine(_folder, "out")).Length);
    }

    [Fact]
    public async Task Export_RefusesADamagedImageAndLeavesNoTar()
    {
        var image = await AddAsync("small");
        await FlipAsync(image.Initrd);

        await Assert.ThrowsAsync<GjollException>(() => Store.ExportAsync("tiny", Path.Combine(_folder, "a.tar"), CancellationToken.None));

        Assert.Empty(Directory.GetFiles(_folder));
    }

    private async Task<Image> AddAsync(string variant, string? architecture = null)
    {
        var building = Store.MakeBuildingFolder(_folder);
        var files = new SortedDictionary<string, ImageFile>(StringComparer.Ordinal);
        foreach (var name in ImageManifest.Required)
        {
            var content = RandomNumberGenerator.GetBytes(4096);
            await File.WriteAllBytesAsync(Path.Combine(building, name), content);
            files[name] = new ImageFile(content.Length, Convert.ToHexStringLower(SHA256.HashData(content)));
        }

        var manifest = new ImageManifest
        {
            Format = ImageManifest.CurrentFormat,
            Name = "tiny",
            Variant = variant,
            Architecture = architecture ?? ImageArchitecture.Host,
            Suite = "bookworm",
            Timestamp = DateTimeOffset.UnixEpoch.AddYears(56),
            KernelRelease = "6.1.0",
            CommandLine = "quiet",
            Files = files,
            GuestSha256 = new string('0', 64),
            InputsSha256 = new string('1', 64),
            Agents = [],
            Users = [],
            Warm = [],
        };
        return await Store.AddAsync(building, manifest, CancellationToken.None);
    }

    private static async Task FlipAsync(string path)
    {
        var bytes = await File.ReadAllBytesAsync(path);
        bytes[^3] ^= 1;
        await File.WriteAllBytesAsync(Writable(path), bytes);
    }

    private static string Writable(string path)
    {
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return path;
    }
}
