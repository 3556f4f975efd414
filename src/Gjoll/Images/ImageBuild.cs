using System.Globalization;
using System.Text;

namespace Gjoll.Images;

/// <summary>One build, stage by stage.</summary>
internal sealed class ImageBuild(
    ImageDefinition definition, VariantDefinition variant, ImageBuildOptions options, BuildFolders folders, Workshop workshop, IProgress<ImageBuildProgress>? progress)
{
    private readonly List<ImageBuildStage> _made = [];
    private readonly IReadOnlyList<LayerDefinition> _layers = [.. definition.LayersOf(variant)];

    /// <summary>For the text of a failure.</summary>
    public string Doing { get; private set; } = "Starting";

    public async Task<ImageBuildResult> RunAsync(string recipe, string log, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folders.Work);
        var packages = await ProvidePackagesAsync(cancellationToken);
        var npm = await ProvideNpmAsync(cancellationToken);
        var hostFolders = await ReadHostFoldersAsync(cancellationToken);
        var guest = await File.ReadAllBytesAsync(options.GuestProgram, cancellationToken);
        Report(ImageBuildStage.Checking, "comparing with what is there");
        var inputs = await InputsAsync(recipe, packages, hostFolders, guest, cancellationToken);
        if (await folders.Store.FindByInputsAsync(definition.Name, variant.Name, inputs, cancellationToken) is { } there)
        {
            await folders.Store.PointAsync(there.Manifest, there.Digest, cancellationToken);
            return new ImageBuildResult(await folders.Store.OpenAsync(there.Reference.ToString(), cancellationToken), _made, log);
        }

        var building = folders.Store.MakeBuildingFolder(folders.Cache);
        var kernelRelease = await MakeKernelAsync(packages, guest, building, cancellationToken);
        var overlay = await MakeOverlayAsync(packages, npm, hostFolders, cancellationToken);
        await MakeDiskAsync(packages, overlay, inputs, building, cancellationToken);
        Report(ImageBuildStage.Storing, "writing the manifest");
        await File.WriteAllBytesAsync(Path.Combine(building, ImageManifest.SbomFile), await SbomAsync(packages, hostFolders, guest, inputs, cancellationToken), cancellationToken);
        var manifest = await ManifestAsync(building, kernelRelease, Digest.Of(guest), inputs, cancellationToken);
        _made.Add(ImageBuildStage.Storing);
        return new ImageBuildResult(await folders.Store.AddAsync(building, manifest, cancellationToken), _made, log);
    }

    private async Task<string> ProvidePackagesAsync(CancellationToken cancellationToken)
    {
        string[] wanted = [.. _layers.SelectMany(layer => layer.Packages).Append(definition.Kernel.Package).Distinct().Order(StringComparer.Ordinal)];
        Report(ImageBuildStage.Packages, $"providing {wanted.Length} packages of Debian {definition.Suite} and what they need");
        var layer = new PackageLayer(folders.Cache, folders.Work, workshop);
        var (tar, made) = await layer.ProvideAsync(definition, wanted, options.SourcesFile, options.Refresh, variant.DiskBytes, cancellationToken);
        Note(ImageBuildStage.Packages, made);
        return tar;
    }

    private async Task<IReadOnlyList<(NpmDefinition Package, string Tarball)>> ProvideNpmAsync(CancellationToken cancellationToken)
    {
        var provider = new NpmPackages(folders.Cache, folders.Work, workshop);
        var provided = new List<(NpmDefinition, string)>();
        foreach (var package in _layers.SelectMany(layer => layer.Npm))
        {
            Report(ImageBuildStage.Npm, $"providing {package.Package} {package.Version}");
            var (tarball, fetched) = await provider.ProvideAsync(package, cancellationToken);
            Note(ImageBuildStage.Npm, fetched);
            provided.Add((package, tarball));
        }

        return provided;
    }

    private async Task<IReadOnlyList<HostFolder>> ReadHostFoldersAsync(CancellationToken cancellationToken)
    {
        var read = new List<HostFolder>();
        foreach (var folder in _layers.SelectMany(layer => layer.HostFolders))
        {
            Report(ImageBuildStage.HostFolders, $"reading the folder for {folder.To}");
            read.Add(await HostFolder.ReadAsync(folder, cancellationToken));
        }

        return read;
    }

    /// <summary>Over everything that the image's bytes depend on.</summary>
    private async Task<string> InputsAsync(string recipe, string packages, IReadOnlyList<HostFolder> hostFolders, byte[] guest, CancellationToken cancellationToken)
    {
        var text = new StringBuilder();
        void Add(params object?[] parts) => text.AppendJoin('\0', parts).Append('\n');

        Add("recipe", recipe, definition.Name, variant.Name, definition.Architecture, definition.Suite, definition.Timestamp.ToUnixTimeSeconds(), variant.DiskBytes);
        Add("kernel", definition.Kernel.CommandLine, string.Join(' ', definition.Kernel.Modules));
        Add("packages", await Digest.OfFileAsync(packages, cancellationToken));
        Add("guest", Digest.Of(guest));
        foreach (var layer in _layers)
        {
            Add("layer", layer.Name);
            foreach (var user in layer.Users)
            {
                Add("user", user.Name, user.Id, user.Shell, user.Sudo);
            }

            foreach (var file in layer.Files)
            {
                var source = file.From is null ? "" : await DigestOfSourceAsync(Path.Combine(definition.Folder, file.From), cancellationToken);
                Add("file", file.Path, file.LinkTo, file.Mode, file.Owner, Digest.Of(file.Content ?? ""), file.Content is null, source);
            }

            foreach (var npm in layer.Npm)
            {
                Add("npm", npm.Package, npm.Version, npm.Integrity, npm.To, npm.Agent, Pairs(npm.Links));
            }

            Add("tests", string.Join('\0', layer.Tests));
            Add("warm", string.Join('\0', layer.Warm));
        }

        foreach (var folder in hostFolders)
        {
            Add("host folder", folder.Definition.To, folder.ContentDigest, Pairs(folder.Definition.Links));
        }

        return Digest.Of(text.ToString());

        static string Pairs(IReadOnlyDictionary<string, string> pairs) =>
            string.Join('\0', pairs.OrderBy(pair => pair.Key, StringComparer.Ordinal).Select(pair => $"{pair.Key}\0{pair.Value}"));
    }

    private static async Task<string> DigestOfSourceAsync(string source, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(source))
        {
            return await Digest.OfFileAsync(source, cancellationToken);
        }

        var folder = await HostFolder.ReadAsync(new HostFolderDefinition { From = [source], To = "/" }, cancellationToken);
        // An empty folder counts too.
        return Digest.Of(folder.ContentDigest + string.Join('\0', Directory.GetDirectories(source, "*", SearchOption.AllDirectories).Select(inner => Path.GetRelativePath(source, inner)).Order(StringComparer.Ordinal)));
    }

    private async Task<string> MakeKernelAsync(string packages, byte[] guest, string building, CancellationToken cancellationToken)
    {
        Report(ImageBuildStage.Kernel, "unpacking the kernel");
        var kernel = await KernelFiles.ReadAsync(packages, cancellationToken);
        await File.WriteAllBytesAsync(Path.Combine(building, ImageManifest.KernelFile), await KernelImage.UnpackAsync(kernel.Image, cancellationToken), cancellationToken);
        await File.WriteAllBytesAsync(
            Path.Combine(building, ImageManifest.InitrdFile), InitialRamDisk.Make(guest, kernel.Resolve(definition.Kernel.Modules), definition.Timestamp), cancellationToken);
        _made.Add(ImageBuildStage.Kernel);
        return kernel.Release;
    }

    private async Task<string> MakeOverlayAsync(
        string packages, IReadOnlyList<(NpmDefinition Package, string Tarball)> npm, IReadOnlyList<HostFolder> hostFolders, CancellationToken cancellationToken)
    {
        Report(ImageBuildStage.Tree, "laying files over the packages");
        var overlay = Path.Combine(folders.Work, "overlay.tar");
        await using (var tar = new OverlayTar(overlay, definition.Timestamp))
        {
            var users = _layers.SelectMany(layer => layer.Users).ToList();
            await UserFiles.AddAsync(tar, await TreeFiles.ReadAsync(packages, UserFiles.IsWanted, cancellationToken), users, definition.Timestamp, cancellationToken);
            foreach (var (package, tarball) in npm)
            {
                await tar.AddNpmAsync(package, tarball, cancellationToken);
            }

            foreach (var folder in hostFolders)
            {
                await tar.AddHostFolderAsync(folder, cancellationToken);
            }

            // Last, so that a definition's own files win.
            foreach (var file in _layers.SelectMany(layer => layer.Files))
            {
                await AddFileAsync(tar, file, users.Find(user => user.Name == file.Owner)?.Id ?? 0, cancellationToken);
            }
        }

        return overlay;
    }

    private Task AddFileAsync(OverlayTar tar, FileDefinition file, int owner, CancellationToken cancellationToken) => file switch
    {
        { LinkTo: { } target } => tar.AddLinkAsync(file.Path, target, cancellationToken),
        { Content: { } content } => tar.AddFileAsync(file.Path, file.Mode, owner, content, cancellationToken),
        { From: { } source } => tar.AddTreeAsync(file.Path, Path.Combine(definition.Folder, source), file.Mode, owner, cancellationToken),
        _ => tar.AddFolderAsync(file.Path, file.Mode, owner, cancellationToken),
    };

    /// <summary>Tree, tests and disk.</summary>
    private async Task MakeDiskAsync(string packages, string overlay, string inputs, string building, CancellationToken cancellationToken)
    {
        var disk = Path.Combine(building, ImageManifest.DiskFile);
        // An id that follows from the inputs: no two different images have the same one, and no two builds of one differ.
        var id = new Guid(Convert.FromHexString(inputs.AsSpan(0, 32))).ToString();
        var user = _layers.SelectMany(layer => layer.Users).FirstOrDefault() ?? new UserDefinition { Name = "root", Id = 0, Shell = "/bin/bash" };
        var tests = _layers.SelectMany(layer => layer.Tests.Select(test => (Layer: layer.Name, Test: test))).ToList();
        try
        {
            await workshop.RunAsync(
                [
                    "/bin/bash", "-c", TreeScripts.Build, "gjoll", TreeScripts.Assemble, TreeScripts.Test, TreeScripts.MakeDisk,
                    Directory.CreateDirectory(Path.Combine(folders.Work, "scratch")).FullName, Workshop.ScratchFor(variant.DiskBytes), $"{definition.Timestamp.ToUnixTimeSeconds()}",
                    $"{user.Id}", user.Name, $"{variant.DiskBytes >> 10}", id, Label(), disk, packages, overlay, .. tests.Select(test => test.Test),
                ],
                network: false,
                cancellationToken,
                mark => OnMark(mark, tests));
        }
        catch (BuildStepException full) when (full.Tail.Contains("Could not allocate", StringComparison.Ordinal))
        {
            throw new GjollException($"The image does not fit on its disk of {variant.DiskBytes} bytes; raise 'disk' of variant '{variant.Name}'.", isTransient: false, full);
        }

        await Task.Run(() => DiskTimes.Set(disk, definition.Timestamp), cancellationToken);
        _made.AddRange([ImageBuildStage.Tree, ImageBuildStage.Tests, ImageBuildStage.Disk]);
    }

    private void OnMark(string mark, List<(string Layer, string Test)> tests)
    {
        if (mark == TreeScripts.DiskMark)
        {
            Report(ImageBuildStage.Disk, "making the disk");
        }
        else if (int.TryParse(mark, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < tests.Count)
        {
            Report(ImageBuildStage.Tests, tests[number].Test);
            Doing = $"The test '{tests[number].Test}' of layer '{tests[number].Layer}'";
        }
    }

    private async Task<byte[]> SbomAsync(string packages, IReadOnlyList<HostFolder> hostFolders, byte[] guest, string inputs, CancellationToken cancellationToken)
    {
        var sbom = new Sbom(definition, variant, inputs);
        var status = await TreeFiles.ReadAsync(packages, name => name == DpkgStatus.Path, cancellationToken);
        foreach (var package in DpkgStatus.Read(status.GetValueOrDefault(DpkgStatus.Path) ?? throw new GjollException("The tree has no record of its packages.")))
        {
            sbom.Add(package);
        }

        foreach (var package in _layers.SelectMany(layer => layer.Npm))
        {
            sbom.Add(package);
        }

        foreach (var folder in hostFolders)
        {
            sbom.Add(folder);
        }

        sbom.AddGuest(Digest.Of(guest));
        return sbom.Finish();
    }

    private async Task<ImageManifest> ManifestAsync(string building, string kernelRelease, string guest, string inputs, CancellationToken cancellationToken)
    {
        var files = new SortedDictionary<string, ImageFile>(StringComparer.Ordinal);
        foreach (var name in ImageManifest.Required)
        {
            var path = Path.Combine(building, name);
            files[name] = new ImageFile(new FileInfo(path).Length, await Digest.OfFileAsync(path, cancellationToken));
        }

        return new ImageManifest
        {
            Format = ImageManifest.CurrentFormat,
            Name = definition.Name,
            Variant = variant.Name,
            Architecture = definition.Architecture,
            Suite = definition.Suite,
            Timestamp = definition.Timestamp,
            KernelRelease = kernelRelease,
            CommandLine = definition.Kernel.CommandLine,
            Files = files,
            GuestSha256 = guest,
            InputsSha256 = inputs,
            Agents = [.. _layers.SelectMany(layer => layer.Npm).Where(npm => npm.Agent is not null).Select(npm => new ImageAgent(npm.Agent!, npm.Package, npm.Version))],
            Users = [.. _layers.SelectMany(layer => layer.Users).Select(user => new ImageUser(user.Name, user.Id))],
            Warm = [.. _layers.SelectMany(layer => layer.Warm)],
        };
    }

    // ext4 has room for 16 bytes.
    private string Label() => definition.Name.Length <= 16 ? definition.Name : definition.Name[..16];

    private void Note(ImageBuildStage stage, bool made)
    {
        if (made && !_made.Contains(stage))
        {
            _made.Add(stage);
        }
    }

    private void Report(ImageBuildStage stage, string text)
    {
        Doing = char.ToUpperInvariant(text[0]) + text[1..];
        progress?.Report(new ImageBuildProgress(stage, text));
    }
}
