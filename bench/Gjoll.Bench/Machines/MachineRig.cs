using Gjoll.Images;
using Gjoll.Qemu;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Bench.Machines;

/// <summary>A QEMU provider with the smallest image, and what to ask of it.</summary>
internal sealed class MachineRig : IAsyncDisposable
{
    private const string Image = "drellaos:minimal";

    private readonly BenchRun _run;
    private int _number;

    private MachineRig(BenchRun run, QemuProvider provider, Image image, Accelerator accelerator, string state) =>
        (_run, Provider, BootImage, Accelerator, StateFolder) = (run, provider, image, accelerator, state);

    public static SandboxLimits Limits { get; } = new() { MemoryBytes = 1L << 30, Cpus = 1, DiskBytes = 1L << 30, Lifetime = TimeSpan.FromHours(2) };

    public static string Store { get; } = Path.Combine(Repository.Root, "artifacts/images/store");

    public static string Cache { get; } = Path.Combine(Repository.Root, "artifacts/images/cache");

    public QemuProvider Provider { get; }

    public Image BootImage { get; }

    public Accelerator Accelerator { get; }

    public string StateFolder { get; }

    /// <summary>How often the promises want each thing measured.</summary>
    public int Rounds => _run.Size(Accelerator == Accelerator.Kvm ? 100 : 20, 1);

    /// <summary>Builds the image when it is missing, and finds out what runs machines here.</summary>
    public static async Task<MachineRig> MakeAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var built = await new ImageBuilder(TimeProvider.System).BuildAsync(ImageOptions(Store, Cache), progress: null, cancellationToken);
        var state = Path.Combine(run.Folder, "q");
        var provider = new QemuProvider(
            new QemuOptions
            {
                StateFolder = state, ImageFolder = Store, DefaultImage = Image, NativeFolder = Repository.NativeFolder,
                // A quick run is to be the same everywhere, and quick: no trial of KVM.
                Accelerator = run.IsQuick ? Qemu.Accelerator.Tcg : null,
                BootTimeout = TimeSpan.FromSeconds(40),
            },
            TimeProvider.System,
            NullLogger<QemuProvider>.Instance);
        var accelerator = await provider.AcceleratorAsync(built.Image.Reference.ToString(), cancellationToken);
        run.Talk($"machines run under {accelerator}");
        return new MachineRig(run, provider, built.Image, accelerator, state);
    }

    public static ImageBuildOptions ImageOptions(string store, string cache, string? definition = null) => new()
    {
        Definition = definition ?? Path.Combine(Repository.Root, "images/drellaos"),
        Variant = "minimal",
        GuestProgram = Path.Combine(Repository.NativeFolder, "gjoll-guest"),
        StoreFolder = store,
        CacheFolder = cache,
    };

    public Task PrepareAsync(CancellationToken cancellationToken) => Provider.PrepareAsync(Image, Limits, cancellationToken);

    public SandboxSpec Spec(WarmStart start, bool forkable = false) => new()
    {
        Name = new SandboxName(FormattableString.Invariant($"m{++_number}")), Image = Image, Limits = Limits, Start = start, Forkable = forkable,
    };

    public async ValueTask DisposeAsync()
    {
        await Provider.SweepAsync(_ => false, CancellationToken.None);
        await Provider.DisposeAsync();
    }
}
