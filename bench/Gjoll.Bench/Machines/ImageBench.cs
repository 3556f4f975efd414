using Gjoll.Hosts;
using Gjoll.Images;

namespace Gjoll.Bench.Machines;

/// <summary>The smallest image with an empty cache, which fetches Debian's packages; again with nothing changed; and after one file of it was changed.</summary>
internal static class ImageBench
{
    private const string Changed = "files/gitconfig";

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var definition = Path.Combine(run.Folder, "drellaos");
        await HostProcess.RunAsync(["cp", "-r", "--", Path.Combine(Repository.Root, "images/drellaos"), definition], cancellationToken);
        var options = MachineRig.ImageOptions(Path.Combine(run.Folder, "store"), Path.Combine(run.Folder, "cache"), definition);
        List<double> same = [], changed = [];
        var cold = await BuildAsync(options, cancellationToken);
        for (var round = 0; round < run.Size(5, 1); round++)
        {
            same.Add(await BuildAsync(options, cancellationToken));
            await File.AppendAllTextAsync(Path.Combine(definition, Changed), $"# {round}\n", cancellationToken);
            changed.Add(await BuildAsync(options, cancellationToken));
        }

        return
        [
            new BenchRow("image built from nothing", cold, "s"),
            BenchRow.Of("image built again, nothing changed", same, "s"),
            BenchRow.Of("image built again, one file changed", changed, "s"),
        ];
    }

    private static async Task<double> BuildAsync(ImageBuildOptions options, CancellationToken cancellationToken)
    {
        var since = new Since();
        await new ImageBuilder(TimeProvider.System).BuildAsync(options, progress: null, cancellationToken);
        return since.Milliseconds / 1000;
    }
}
