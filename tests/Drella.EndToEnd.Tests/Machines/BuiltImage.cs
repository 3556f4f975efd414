using Gjoll.Images;

namespace Drella.EndToEnd.Tests.Machines;

/// <summary>The variant of drellaos with one agent.</summary>
public sealed class AgentImage() : BuiltImage("drellaos:agent");

/// <summary>The variant of drellaos with all that projects are built with.</summary>
public sealed class FullImage() : BuiltImage("drellaos:full");

/// <summary>
/// A variant of drellaos, built once. Cache and store are those of the other tests below artifacts: what they have made of the base is used
/// again, and a second run finds the image.
/// </summary>
public abstract class BuiltImage(string reference) : IAsyncLifetime
{
    public string Reference => reference;

    public string StoreFolder { get; } = Path.Combine(Root(), "artifacts", "images", "store");

    public async ValueTask InitializeAsync() => await new ImageBuilder(TimeProvider.System).BuildAsync(
        new ImageBuildOptions
        {
            Definition = Path.Combine(AppContext.BaseDirectory, "images", "drellaos"),
            Variant = ImageReference.Parse(reference).Variant!,
            GuestProgram = Path.Combine(AppContext.BaseDirectory, "native", "gjoll-guest"),
            StoreFolder = StoreFolder,
            CacheFolder = Path.Combine(Root(), "artifacts", "images", "cache"),
        },
        progress: null,
        CancellationToken.None);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    private static string Root()
    {
        var at = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(at.FullName, "Drella.slnx")))
        {
            at = at.Parent ?? throw new InvalidOperationException("this is no checkout");
        }

        return at.FullName;
    }
}
