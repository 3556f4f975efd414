using Gjoll.Qemu;
using Gjoll.Tests.Images;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests.Qemu;

/// <summary>
/// Machines of the minimal image for a whole class of tests, with one template that they start from: under translation a boot takes seconds, a clone does
/// not. Everything that a test makes is gone after it; the template stays until the last.
/// </summary>
public sealed class Machines : IAsyncLifetime
{
    private readonly MinimalImage _image = new();

    public string StateFolder { get; } = TestHost.MakeFolder();

    internal static QemuOptions Options(string stateFolder) => new()
    {
        StateFolder = stateFolder,
        ImageFolder = MinimalImage.StoreFolder,
        DefaultImage = $"drellaos:{MinimalImage.Variant}",
        NativeFolder = Path.Combine(TestHost.RepositoryRoot, "artifacts/native"),
        // The same on every machine that runs the tests; what a host with KVM does is for doctor and bench.
        Accelerator = Accelerator.Tcg,
        // A busy host is no failure.
        BootTimeout = TimeSpan.FromSeconds(40),
    };

    internal static QemuProvider Make(string stateFolder, Action<QemuOptions>? change = null)
    {
        var options = Options(stateFolder);
        change?.Invoke(options);
        return new QemuProvider(options, TimeProvider.System, NullLogger<QemuProvider>.Instance);
    }

    public async ValueTask InitializeAsync()
    {
        await _image.InitializeAsync();
        await using var provider = Make(StateFolder);
        await provider.PrepareAsync(null, Some.Spec().Limits, CancellationToken.None);
    }

    public async ValueTask DisposeAsync()
    {
        await using (var provider = Make(StateFolder))
        {
            await provider.SweepAsync(_ => false, CancellationToken.None);
        }

        await TestHost.RunAsync("rm", "-rf", StateFolder);
    }
}
