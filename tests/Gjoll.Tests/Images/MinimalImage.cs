using Gjoll.Images;

namespace Gjoll.Tests.Images;

/// <summary>
/// The smallest variant of drellaos, built once for all tests that boot it or look into it. Cache and store are below artifacts, so that a second run of the
/// tests finds what the first one made.
/// </summary>
public sealed class MinimalImage : IAsyncLifetime
{
    public const string Variant = "minimal";

    private static readonly SemaphoreSlim _gate = new(1);
    private static ImageBuildResult? _built;

    public static string Root { get; } = Path.Combine(TestHost.RepositoryRoot, "artifacts", "images");
    public static string StoreFolder { get; } = Path.Combine(Root, "store");

    public Image Image => _built!.Image;

    public ImageStore Store { get; } = new(StoreFolder);

    public static ImageBuildOptions Options(string? definition = null, string? store = null, string? variant = null) => new()
    {
        Definition = definition ?? Path.Combine(TestHost.RepositoryRoot, "images/drellaos"),
        Variant = variant ?? Variant,
        GuestProgram = Path.Combine(TestHost.RepositoryRoot, "artifacts/native/gjoll-guest"),
        StoreFolder = store ?? StoreFolder,
        CacheFolder = Path.Combine(Root, "cache"),
    };

    public async ValueTask InitializeAsync()
    {
        await _gate.WaitAsync();
        try
        {
            _built ??= await new ImageBuilder(TimeProvider.System).BuildAsync(Options(), progress: null, CancellationToken.None);
        }
        finally
        {
            _gate.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
