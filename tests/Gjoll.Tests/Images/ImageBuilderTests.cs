using System.Diagnostics;
using System.Text.Json;
using Gjoll.Images;

namespace Gjoll.Tests.Images;

/// <summary>Real builds, from Debian's packages. They share one cache, which one build at a time may use.</summary>
[Collection("image builds")]
public sealed class ImageBuilderTests(MinimalImage minimal) : IClassFixture<MinimalImage>, IDisposable
{
    private readonly string _folder = TestHost.MakeFolder();

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public async Task Image_HoldsWhatItsDefinitionPromises()
    {
        await minimal.Store.VerifyAsync("drellaos:minimal", CancellationToken.None);

        Assert.Equal("agent:x:1000:1000::/home/agent:/bin/bash", (await ReadAsync("/etc/passwd")).TrimEnd().Split('\n')[^1]);
        Assert.Equal("agent ALL=(ALL:ALL) NOPASSWD: ALL\n", await ReadAsync("/etc/sudoers.d/agent"));
        Assert.Equal("", await ReadAsync("/etc/machine-id"));
        Assert.Equal("", await ListAsync("/var/lib/apt/lists"));
        // The building machine's sources may name private mirrors.
        Assert.Equal("", await ListAsync("/etc/apt/sources.list.d"));
        Assert.Equal("", await ListAsync("/etc/ssh"));
        Assert.Equal("", await ListAsync("/lib/systemd/systemd-journald"));
        Assert.True(File.ReadAllBytes(minimal.Image.Kernel).AsSpan(0, 4).SequenceEqual("\u007fELF"u8));
        Assert.All(["virtio_blk.ko", "virtio_console.ko", "qemu_fw_cfg.ko"], module => Assert.Contains(module, File.ReadAllText(minimal.Image.Initrd), StringComparison.Ordinal));
    }

    [Fact]
    public async Task Disk_IsSoundAndHasRoom()
    {
        Assert.Equal(1L << 30, new FileInfo(minimal.Image.Disk).Length);
        await TestHost.RunAsync("/usr/sbin/e2fsck", "-fn", minimal.Image.Disk);
    }

    [Fact]
    public async Task Build_IsTheSameBitForBit()
    {
        // Packages are installed anew as well.
        var again = await BuildAsync(MinimalImage.Options(store: Path.Combine(_folder, "store")) with { Refresh = true });
        var first = minimal.Image;
        if (!PackagesOf(first).SequenceEqual(PackagesOf(again.Image)))
        {
            // Debian has other packages than on the day when the shared image was made.
            first = (await BuildAsync(MinimalImage.Options(store: Path.Combine(_folder, "other")) with { Refresh = true })).Image;
        }

        Assert.Contains(ImageBuildStage.Packages, again.Made);
        Assert.Contains(ImageBuildStage.Disk, again.Made);
        Assert.Equal(first.Digest, again.Image.Digest);
        foreach (var name in first.Manifest.Files.Keys)
        {
            await TestHost.RunAsync("cmp", Path.Combine(first.Folder, name), Path.Combine(again.Image.Folder, name));
        }

        static List<string> PackagesOf(Image image)
        {
            using var sbom = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(image.Folder, ImageManifest.SbomFile)));
            // The first one is the image, with its own digest.
            return [.. sbom.RootElement.GetProperty("packages").EnumerateArray().Skip(1).Select(package => package.GetRawText())];
        }
    }

    [Fact]
    public async Task Build_MakesOnlyWhatChanged()
    {
        var definition = CopyDefinition();
        var store = Path.Combine(_folder, "store");
        await File.AppendAllTextAsync(Path.Combine(definition, "files/profile.sh"), "# changed\n");

        var changed = await BuildAsync(MinimalImage.Options(definition, store));
        var same = await BuildAsync(MinimalImage.Options(definition, store));

        Assert.DoesNotContain(ImageBuildStage.Packages, changed.Made);
        Assert.Contains(ImageBuildStage.Tree, changed.Made);
        Assert.NotEqual(minimal.Image.Digest, changed.Image.Digest);
        Assert.Equal(minimal.Image.Manifest.Files[ImageManifest.KernelFile], changed.Image.Manifest.Files[ImageManifest.KernelFile]);
        Assert.Empty(same.Made);
        Assert.Equal(changed.Image.Digest, same.Image.Digest);
    }

    [Fact]
    public async Task Sbom_ListsEveryPackageWithItsVersion()
    {
        using var sbom = JsonDocument.Parse(await File.ReadAllBytesAsync(Path.Combine(minimal.Image.Folder, ImageManifest.SbomFile)));
        var listed = sbom.RootElement.GetProperty("packages").EnumerateArray().Select(package => $"{package.GetProperty("name").GetString()} {package.GetProperty("versionInfo").GetString()}").ToHashSet();
        // dpkg's own words about the tree on the disk.
        var status = Path.Combine(_folder, "dpkg", "status");
        Directory.CreateDirectory(Path.GetDirectoryName(status)!);
        await File.WriteAllTextAsync(status, await ReadAsync("/var/lib/dpkg/status"));
        var installed = (await TestHost.RunAsync("dpkg-query", $"--admindir={Path.GetDirectoryName(status)}", "--show", "--showformat=${db:Status-Status} ${Package} ${Version}\n"))
            .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line.StartsWith("installed ", StringComparison.Ordinal)).Select(line => line["installed ".Length..]).ToList();

        Assert.True(installed.Count > 100, $"Only {installed.Count} packages are installed.");
        Assert.Empty(installed.Except(listed));
        Assert.Equal("SPDX-2.3", sbom.RootElement.GetProperty("spdxVersion").GetString());
        var ids = sbom.RootElement.GetProperty("packages").EnumerateArray().Select(package => package.GetProperty("SPDXID").GetString()!).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.All(sbom.RootElement.GetProperty("relationships").EnumerateArray(), relation => Assert.Contains(relation.GetProperty("relatedSpdxElement").GetString()!, ids));
    }

    [Fact]
    public async Task Build_RefusesAFailingTestAndLeavesNothing()
    {
        var definition = CopyDefinition(text => text.Replace("- git --version", "- no-such-tool --version", StringComparison.Ordinal));
        var store = Path.Combine(_folder, "store");

        var refused = await Assert.ThrowsAsync<GjollException>(() => BuildAsync(MinimalImage.Options(definition, store)));

        Assert.Contains("The test 'no-such-tool --version' of layer 'base' failed", refused.Message, StringComparison.Ordinal);
        Assert.Contains("no-such-tool: command not found", refused.Message, StringComparison.Ordinal);
        AssertNothingLeft(store);
    }

    [Fact]
    public async Task Build_RefusesADiskThatIsTooSmall()
    {
        var definition = CopyDefinition(text => text.Replace("disk: 1GiB", "disk: 200MiB", StringComparison.Ordinal));
        var store = Path.Combine(_folder, "store");

        var refused = await Assert.ThrowsAsync<GjollException>(() => BuildAsync(MinimalImage.Options(definition, store)));

        Assert.Contains("raise 'disk' of variant 'minimal'", refused.Message, StringComparison.Ordinal);
        AssertNothingLeft(store);
    }

    [Fact]
    public async Task Build_StopsWhenCancelledAndLeavesNothing()
    {
        var definition = CopyDefinition(text => text.Replace("- git --version", "- sleep 6071", StringComparison.Ordinal));
        var store = Path.Combine(_folder, "store");
        using var cancelled = new CancellationTokenSource();
        // In the middle of it: a program of the build is running in its namespaces.
        var progress = new CancelAt(ImageBuildStage.Tests, cancelled);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => new ImageBuilder(TimeProvider.System).BuildAsync(MinimalImage.Options(definition, store), progress, cancelled.Token));

        AssertNothingLeft(store);
        Assert.DoesNotContain(TestHost.Processes(), id => CommandOf(id).Contains("sleep 6071", StringComparison.Ordinal));
        Assert.DoesNotContain(File.ReadLines("/proc/self/mounts"), line => line.Contains(MinimalImage.Root, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Build_WaitsForTheEndOfAnotherWithTheSameCache()
    {
        using var held = new FileStream(Path.Combine(MinimalImage.Root, "cache", "lock"), FileMode.Open, FileAccess.ReadWrite, FileShare.None);
        var progress = new Hearing(step => { if (step.Text.Contains("another build", StringComparison.Ordinal)) { held.Dispose(); } });

        var built = await new ImageBuilder(TimeProvider.System).BuildAsync(MinimalImage.Options(), progress, TestContext.Current.CancellationToken);

        Assert.Equal(minimal.Image.Digest, built.Image.Digest);
        Assert.True(held.SafeFileHandle.IsClosed);
    }

    [Fact]
    public async Task Build_SaysHowMuchSpaceItNeeds()
    {
        var definition = CopyDefinition(text => text.Replace("disk: 1GiB", "disk: 1024GiB", StringComparison.Ordinal));

        var refused = await Assert.ThrowsAsync<GjollException>(() => BuildAsync(MinimalImage.Options(definition, Path.Combine(_folder, "store"))));

        Assert.Contains("not enough space in", refused.Message, StringComparison.Ordinal);
        Assert.Contains($"needs about {2L << 40} bytes", refused.Message, StringComparison.Ordinal);
        AssertNothingLeft(Path.Combine(_folder, "store"));
    }

    [Fact]
    public async Task Build_ThatFindsNoSpaceOnItsWaySaysWhereAndLeavesNothing()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can mount a small file system.");
        var small = Directory.CreateDirectory(Path.Combine(_folder, "small")).FullName;
        await TestHost.RunAsync("mount", "-t", "tmpfs", "-o", "size=16g,mode=755", "gjoll-test", small);
        try
        {
            // There is room when the build looks, and none any more when it stores what it made.
            var store = Path.Combine(small, "store");
            var progress = new Hearing(step =>
            {
                if (step.Stage == ImageBuildStage.Storing)
                {
                    var disk = new DriveInfo(small);
                    using var shrink = Process.Start("mount", ["-o", $"remount,size={disk.TotalSize - disk.AvailableFreeSpace}", small]);
                    shrink.WaitForExit();
                }
            });

            var failure = await Assert.ThrowsAsync<GjollException>(() => new ImageBuilder(TimeProvider.System).BuildAsync(MinimalImage.Options(store: store), progress, TestContext.Current.CancellationToken));

            Assert.Contains($"not enough space in {store}", failure.Message, StringComparison.Ordinal);
            AssertNothingLeft(store);
        }
        finally
        {
            await TestHost.RunAsync("umount", small);
        }
    }

    [Theory]
    [InlineData("architecture: amd64", "architecture: arm64", "can only build for itself")]
    [InlineData("timestamp: 2026-11-01", "timestamp: 2036-11-01", "in the future")]
    [InlineData("    tests:", "    host_folders: [{from: [/absent/one, /absent/two], to: /opt/x}]\n    tests:", "none of the folders /absent/one, /absent/two")]
    public async Task Build_RefusesWhatItCannotMake(string sound, string broken, string text)
    {
        var definition = CopyDefinition(yaml =>
        {
            var at = yaml.IndexOf(sound, StringComparison.Ordinal);
            return yaml[..at] + broken + yaml[(at + sound.Length)..];
        });

        var refused = await Assert.ThrowsAsync<GjollException>(() => BuildAsync(MinimalImage.Options(definition, Path.Combine(_folder, "store"))));

        Assert.Contains(text, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Build_RefusesAnUnknownVariant()
    {
        var refused = await Assert.ThrowsAsync<GjollException>(() => BuildAsync(MinimalImage.Options(variant: "minmal")));

        Assert.Contains("did you mean 'minimal'?", refused.Message, StringComparison.Ordinal);
    }

    private static Task<ImageBuildResult> BuildAsync(ImageBuildOptions options) => new ImageBuilder(TimeProvider.System).BuildAsync(options, progress: null, CancellationToken.None);

    private string CopyDefinition(Func<string, string>? change = null)
    {
        var source = Path.Combine(TestHost.RepositoryRoot, "images/drellaos");
        var target = Path.Combine(_folder, "definition");
        foreach (var file in Directory.GetFiles(source, "*", SearchOption.AllDirectories))
        {
            var copy = Path.Combine(target, Path.GetRelativePath(source, file));
            Directory.CreateDirectory(Path.GetDirectoryName(copy)!);
            File.Copy(file, copy);
        }

        var yaml = Path.Combine(target, ImageDefinition.FileName);
        File.WriteAllText(yaml, (change ?? (text => text))(File.ReadAllText(yaml)));
        return target;
    }

    private static void AssertNothingLeft(string store)
    {
        Assert.Empty(Directory.Exists(store) ? Directory.GetFileSystemEntries(store) : []);
        Assert.Empty(Directory.GetDirectories(Path.Combine(MinimalImage.Root, "cache"), "work-*"));
    }

    private static string CommandOf(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Replace('\0', ' ');
        }
        catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }

    private Task<string> ReadAsync(string path) => TestHost.RunAsync("/usr/sbin/debugfs", "-R", $"cat {path}", minimal.Image.Disk);

    /// <summary>Names in a folder, one a line; empty when there is none.</summary>
    private async Task<string> ListAsync(string path) =>
        string.Join('\n', (await TestHost.RunAsync("/usr/sbin/debugfs", "-R", $"ls -p {path}", minimal.Image.Disk)).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            // /12/040755/0/0/NAME//
            .Select(line => line.Split('/')).Where(parts => parts.Length > 5 && parts[5] is not ("." or "..")).Select(parts => parts[5]));

    private sealed class Hearing(Action<ImageBuildProgress> hear) : IProgress<ImageBuildProgress>
    {
        public void Report(ImageBuildProgress value) => hear(value);
    }

    private sealed class CancelAt(ImageBuildStage stage, CancellationTokenSource source) : IProgress<ImageBuildProgress>
    {
        public void Report(ImageBuildProgress value)
        {
            if (value.Stage == stage)
            {
                // Given time to be started: the moment does not matter, that it is running may.
                source.CancelAfter(TimeSpan.FromSeconds(1));
            }
        }
    }
}
