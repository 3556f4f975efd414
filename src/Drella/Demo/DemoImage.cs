using Drella.Configuration;
using Drella.Daemon;
using Gjoll;
using Gjoll.Images;

namespace Drella.Demo;

/// <summary>The image that the demo's machine boots: taken from the store, or built when it is not there.</summary>
internal sealed class DemoImage(DrellaConfig config, DemoTalk say, TimeProvider time)
{
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        var store = new ImageStore(SandboxChoice.ImageFolder(config));
        var wanted = ImageReference.Parse(config.Sandbox.Image);
        try
        {
            var images = await store.ListAsync(cancellationToken);
            if (images.Any(image => image.Manifest.Name == wanted.Name && image.Manifest.Variant == (wanted.Variant ?? ImageReference.DefaultVariant)))
            {
                return;
            }

            say.Line($"there is no image {wanted} in {store.Folder}: building it takes some minutes, once");
            var stage = "";
            var progress = new Progress<ImageBuildProgress>(at =>
            {
                if (Interlocked.Exchange(ref stage, at.Text) != at.Text)
                {
                    say.Line($"  {at.Text}");
                }
            });
            await new ImageBuilder(time).BuildAsync(
                new ImageBuildOptions
                {
                    Definition = Path.Combine(AppContext.BaseDirectory, "images", wanted.Name),
                    Variant = wanted.Variant ?? ImageReference.DefaultVariant,
                    GuestProgram = Path.Combine(AppContext.BaseDirectory, "native", "gjoll-guest"),
                    StoreFolder = store.Folder,
                    CacheFolder = Path.Combine(GjollHome.Folder(), "cache"),
                },
                progress,
                cancellationToken);
        }
        catch (GjollException failure)
        {
            throw new StartFailure(failure.Message);
        }
    }
}
