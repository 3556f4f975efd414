using System.CommandLine;
using System.Globalization;
using Gjoll.Channel;
using Gjoll.Cli.Terminal;
using Gjoll.Cli.Work;
using Gjoll.Images;

namespace Gjoll.Cli.Verbs;

/// <summary><c>image</c>: builds, lists, removes, verifies and exports what machines boot from.</summary>
internal static class ImageVerbs
{
    private const string DefaultDefinition = "drellaos";

    public static Command Build(Shell shell) => Shell.Group("image", "What machines boot from", Make(shell), List(shell), Remove(shell), Verify(shell), Export(shell));

    private static Command Make(Shell shell)
    {
        var definition = new Argument<string>("definition") { Description = "A folder with an image.yaml, or the name of one that came along", DefaultValueFactory = _ => DefaultDefinition };
        var variant = new Option<string>("--variant") { Description = "Which of its variants", DefaultValueFactory = _ => ImageReference.DefaultVariant };
        var refresh = new Option<bool>("--refresh") { Description = "Ask Debian for the packages it has now" };
        var sources = new Option<FileInfo?>("--sources") { Description = "A file with apt's sources (default: those of this machine)" };
        return shell.Verb("build", "Build an image", async call =>
        {
            var progress = new Said(call.Speaker);
            var result = await new ImageBuilder(call.House.Time).BuildAsync(
                new ImageBuildOptions
                {
                    Definition = Find(call.Value(definition)!),
                    Variant = call.Value(variant)!,
                    GuestProgram = new NativePrograms(null).Guest,
                    StoreFolder = call.House.Images.Folder,
                    CacheFolder = Path.Combine(call.House.Cache, "images"),
                    SourcesFile = call.Value(sources)?.FullName,
                    Refresh = call.Value(refresh),
                },
                progress,
                call.Cancellation);
            call.Speaker.Data(new { image = Shown(result.Image), made = result.Made, log = result.Log }, writer => writer.WriteLine(result.Image.Reference));
            return ExitCode.Ok;
        }, definition, variant, refresh, sources);
    }

    private static Command List(Shell shell) => shell.Verb("ls", "All images", async call =>
    {
        var images = await call.House.Images.ListAsync(call.Cancellation);
        call.Speaker.Data(images.Select(Shown), writer => Table.Write(writer, ["NAME", "VARIANT", "SIZE", "DIGEST"], [.. images.Select(image => (IReadOnlyList<string>)
        [
            image.Manifest.Name, image.Manifest.Variant, string.Create(CultureInfo.InvariantCulture, $"{Bytes(image) >> 20} MiB"), "sha256:" + image.Digest,
        ])]));
        return ExitCode.Ok;
    });

    private static Command Remove(Shell shell)
    {
        var reference = Reference();
        return shell.Verb("rm", "Remove an image", async call =>
        {
            var wanted = await DemandAsync(call, reference);
            await RefuseUsedAsync(call, await call.House.Images.DigestOfAsync(wanted, call.Cancellation));
            await call.House.Images.RemoveAsync(wanted, call.Cancellation);
            call.Speaker.Data(new { removed = wanted }, writer => writer.WriteLine(wanted));
            return ExitCode.Ok;
        }, reference);
    }

    private static Command Verify(Shell shell)
    {
        var reference = Reference();
        return shell.Verb("verify", "Hash every file of an image", async call =>
        {
            var wanted = await DemandAsync(call, reference);
            try
            {
                var image = await call.House.Images.VerifyAsync(wanted, call.Cancellation);
                call.Speaker.Data(new { ok = true, image = Shown(image) }, writer => writer.WriteLine($"{image.Reference} is what was built"));
                return ExitCode.Ok;
            }
            catch (GjollException wrong)
            {
                throw new VerbFailure(ExitCode.CheckFailed, wrong.Message);
            }
        }, reference);
    }

    private static Command Export(Shell shell)
    {
        var reference = Reference();
        var file = new Argument<FileInfo>("file") { Description = "The tar to write" };
        return shell.Verb("export", "Write an image as one tar", async call =>
        {
            var target = call.Value(file)!.FullName;
            await call.House.Images.ExportAsync(await DemandAsync(call, reference), target, call.Cancellation);
            call.Speaker.Data(new { file = target }, writer => writer.WriteLine(target));
            return ExitCode.Ok;
        }, reference, file);
    }

    private static Argument<string> Reference() => new("image") { Description = "name, name:variant or name@sha256:DIGEST" };

    /// <exception cref="VerbFailure">It is no reference, or there is no such image.</exception>
    private static async Task<string> DemandAsync(Call call, Argument<string> argument)
    {
        var text = call.Value(argument)!;
        ImageReference reference;
        try
        {
            reference = ImageReference.Parse(text);
        }
        catch (GjollException wrong)
        {
            throw new VerbFailure(ExitCode.Usage, wrong.Message);
        }

        if (call.House.Images.Has(reference))
        {
            return text;
        }

        var known = (await call.House.Images.ListAsync(call.Cancellation)).Select(image => $"{image.Manifest.Name}:{image.Manifest.Variant}").Distinct().ToList();
        throw new VerbFailure(ExitCode.NotFound, $"There is no image {reference}; there {(known.Count == 0 ? "is none" : $"is {string.Join(", ", known)}")}. 'gjoll image build' makes one.");
    }

    /// <exception cref="VerbFailure">A sandbox would never start again without it.</exception>
    private static async Task RefuseUsedAsync(Call call, string digest)
    {
        IReadOnlyList<SandboxInfo> machines = call.House.WasUsed(House.Qemu) ? await call.House.Provider(House.Qemu).ListAsync(call.Cancellation) : [];
        var users = machines.Where(info => info.Image?.EndsWith(digest, StringComparison.Ordinal) == true).Select(info => info.Name.Value).ToList();
        if (users.Count > 0)
        {
            throw new VerbFailure(ExitCode.Refused, $"The image is what {string.Join(", ", users)} boot{(users.Count == 1 ? "s" : "")} from: 'gjoll down' them first.");
        }
    }

    private static string Find(string word)
    {
        var shipped = Path.Combine(AppContext.BaseDirectory, "images", word);
        return !word.Contains('/', StringComparison.Ordinal) && !Path.Exists(word) && Directory.Exists(shipped) ? shipped : Path.GetFullPath(word);
    }

    private static long Bytes(Image image) => image.Manifest.Files.Values.Sum(file => file.Size);

    private static object Shown(Image image) => new
    {
        name = image.Manifest.Name,
        variant = image.Manifest.Variant,
        digest = "sha256:" + image.Digest,
        architecture = image.Manifest.Architecture,
        bytes = Bytes(image),
        timestamp = image.Manifest.Timestamp,
        agents = image.Manifest.Agents,
    };

    private sealed class Said(Speaker speaker) : IProgress<ImageBuildProgress>
    {
        public void Report(ImageBuildProgress value) => speaker.Say($"{value.Stage.ToString().ToLowerInvariant()}: {value.Text}");
    }
}
