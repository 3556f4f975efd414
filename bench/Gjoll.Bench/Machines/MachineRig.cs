using Gjoll.Images;
using Gjoll.Qemu;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Bench.Machines;

/// <summary>A QEMU provider with the smallest image, and what to ask of it.</summary>
internal sealed class MachineRig : IAsyncDisposable
{
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

    /// <summary>Builds the image when it is missing or has another guest agent than ours, and finds out what runs machines here.</summary>
    public static async Task<MachineRig> MakeAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var image = await ImageAsync(cancellationToken);
        var state = Path.Combine(run.Folder, "q");
        var provider = new QemuProvider(
            new QemuOptions
            {
                StateFolder = state, ImageFolder = Store, DefaultImage = image.Reference.ToString(), NativeFolder = Repository.NativeFolder,
                // A quick run is to be the same everywhere, and quick: no trial of KVM.
                Accelerator = run.IsQuick ? Qemu.Accelerator.Tcg : null,
                BootTimeout = TimeSpan.FromSeconds(40),
                // The pool is filled when a benchmark says so, and not while another thing is measured.
                WatchInterval = TimeSpan.FromHours(1),
            },
            TimeProvider.System,
            NullLogger<QemuProvider>.Instance);
        var accelerator = await provider.AcceleratorAsync(image.Reference.ToString(), cancellationToken);
        run.Talk($"machines run under {accelerator}");
        return new MachineRig(run, provider, image, accelerator, state);
    }

    public static ImageBuildOptions ImageOptions(string store, string cache, string? definition = null) => new()
    {
        Definition = definition ?? Path.Combine(Repository.Root, "images/drellaos"),
        Variant = "minimal",
        GuestProgram = Path.Combine(Repository.NativeFolder, "gjoll-guest"),
        StoreFolder = store,
        CacheFolder = cache,
    };

    private static async Task<Image> ImageAsync(CancellationToken cancellationToken)
    {
        var options = ImageOptions(Store, Cache);
        var guest = await Digest.OfFileAsync(options.GuestProgram, cancellationToken);
        var present = (await new ImageStore(Store).ListAsync(cancellationToken)).FirstOrDefault(image => image.Manifest.Name == "drellaos"
            && image.Manifest.Variant == options.Variant && image.Manifest.GuestSha256 == guest);
        return present ?? (await new ImageBuilder(TimeProvider.System).BuildAsync(options, progress: null, cancellationToken)).Image;
    }

    public Task PrepareAsync(CancellationToken cancellationToken) => Provider.PrepareAsync(BootImage.Reference.ToString(), Limits, cancellationToken);

    /// <summary>One machine that is ready for the next claim.</summary>
    public Task FillPoolAsync(CancellationToken cancellationToken)
    {
        Provider.KeepReady(BootImage.Reference.ToString(), Limits, 1);
        return Provider.FillPoolOnceAsync(cancellationToken);
    }

    public SandboxSpec Spec(WarmStart start, bool forkable = false) => new()
    {
        Name = new SandboxName(FormattableString.Invariant($"m{++_number}")), Image = BootImage.Reference.ToString(), Limits = Limits, Start = start, Forkable = forkable,
    };

    public async ValueTask DisposeAsync()
    {
        await Provider.SweepAsync(_ => false, CancellationToken.None);
        await Provider.DisposeAsync();
    }
}
