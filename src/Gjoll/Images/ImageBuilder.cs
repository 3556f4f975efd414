using System.Globalization;
using System.Text;

namespace Gjoll.Images;

/// <summary>
/// Makes an image from its definition. The same inputs make the same bytes. A build that fails or is cancelled leaves nothing but its log; the layers it had
/// finished are used by the next.
/// </summary>
public sealed class ImageBuilder(TimeProvider time)
{
    // Raised when the same inputs would make another image.
    private const string Recipe = "1";

    private const int KeptLogs = 20;

    /// <summary>One build at a time uses a cache folder; the next waits for it. Everything that fails is a <see cref="GjollException"/> that says what to do.</summary>
    public async Task<ImageBuildResult> BuildAsync(ImageBuildOptions options, IProgress<ImageBuildProgress>? progress, CancellationToken cancellationToken)
    {
        progress?.Report(new ImageBuildProgress(ImageBuildStage.Checking, $"reading {options.Definition}"));
        var definition = await ImageDefinition.LoadAsync(options.Definition, cancellationToken);
        var variant = Check(definition, options);
        using var folders = await BuildFolders.OpenAsync(
            options,
            variant,
            time,
            () => progress?.Report(new ImageBuildProgress(ImageBuildStage.Checking, $"another build uses {options.CacheFolder}; waiting for its end")),
            cancellationToken);
        await using var log = new BuildLog(folders.Log(definition.Name, variant.Name, KeptLogs));
        var workshop = new Workshop(folders.Work, definition.Timestamp, log);
        var build = new ImageBuild(definition, variant, options, folders, workshop, progress);
        try
        {
            await folders.SweepAsync(workshop, cancellationToken);
            folders.RefuseLackOfSpace(variant);
            return await build.RunAsync(Recipe, log.Path, cancellationToken);
        }
        catch (BuildStepException failed)
        {
            throw failed.NoSpace ? folders.NoSpace(variant, failed) : new GjollException($"{build.Doing} failed. {failed.Message}\nAll output is in {log.Path}.", isTransient: false, failed);
        }
        catch (IOException full) when (full.HResult == BuildFolders.NoSpaceError)
        {
            throw folders.NoSpace(variant, full);
        }
        finally
        {
            using var bounded = new CancellationTokenSource(TimeSpan.FromMinutes(2), time);
            await folders.SweepAsync(workshop, bounded.Token);
        }
    }

    private VariantDefinition Check(ImageDefinition definition, ImageBuildOptions options)
    {
        if (!definition.Variants.TryGetValue(options.Variant, out var variant))
        {
            throw new GjollException($"{definition.Name} has no variant '{options.Variant}'; {Suggestion.For(options.Variant, definition.Variants.Keys)}.");
        }

        if (definition.Architecture != ImageArchitecture.Host)
        {
            throw new GjollException($"{definition.Name} is for {definition.Architecture}; this machine is {ImageArchitecture.Host} and can only build for itself.");
        }

        if (definition.Timestamp > time.GetUtcNow())
        {
            throw new GjollException($"The timestamp of {definition.Name} is in the future: {definition.Timestamp.ToString("u", CultureInfo.InvariantCulture)}.");
        }

        if (!File.Exists(options.GuestProgram))
        {
            throw new GjollException($"The guest agent is not at {options.GuestProgram}; build it with scripts/native.");
        }

        return Workshop.Trouble() is { } trouble ? throw new GjollException($"No image can be built here. {trouble}") : variant;
    }
}
