using Drella.Configuration;
using Drella.Drivers.Agents;
using Drella.Drivers.Processes;
using Drella.Drivers.Sandboxes.Gjoll;
using Gjoll;
using Gjoll.Bubblewrap;
using Gjoll.Images;
using Gjoll.Qemu;
using Microsoft.Extensions.Logging;

namespace Drella.Daemon;

/// <summary>The provider of sandboxes that the configuration asks for, and why it is that one. Disposing leaves its sandboxes as they are.</summary>
internal sealed partial class SandboxChoice : IAsyncDisposable
{
    public const string Qemu = "qemu";
    public const string Bubblewrap = "bubblewrap";

    private readonly SandboxConfig config;
    private readonly ILogger logger;
    private readonly CancellationTokenSource stop = new();

    private SandboxChoice(SandboxConfig config, ISandboxProvider provider, GjollHost host, ProviderReport report, ILogger logger)
    {
        this.config = config;
        this.logger = logger;
        Provider = provider;
        Host = host;
        IsSlow = report.IsSlow;
        Works = report.Works;
    }

    public ISandboxProvider Provider { get; }

    public GjollHost Host { get; }

    public bool Works { get; }

    /// <summary>Sandboxes are emulated: whatever waits for them has to wait longer.</summary>
    public bool IsSlow { get; }

    /// <summary>The image store that the configuration names, else that of the <c>gjoll</c> command.</summary>
    public static string ImageFolder(DrellaConfig config) =>
        config.Sandbox.Images is { } named ? Path.GetFullPath(Path.Combine(config.Folder, named)) : Path.Combine(GjollHome.Folder(), "images");

    /// <summary>A provider over its part of a state folder, as the configuration has it.</summary>
    public static ISandboxProvider Open(string name, DrellaConfig config, string stateFolder, TimeProvider time, ILoggerFactory loggers) => name == Qemu
        ? new QemuProvider(
            new QemuOptions
            {
                StateFolder = StateOf(name, stateFolder),
                ImageFolder = ImageFolder(config),
                DefaultImage = config.Sandbox.Image,
                Accelerator = AcceleratorOf(config.Sandbox),
            },
            time,
            loggers.CreateLogger<QemuProvider>())
        : new BubblewrapProvider(new BubblewrapOptions { StateFolder = StateOf(name, stateFolder) }, time, loggers.CreateLogger<BubblewrapProvider>());

    /// <summary>Tries the providers that the configuration allows, the strongest first. When none works, the last one is there to say why not.</summary>
    public static async Task<SandboxChoice> MakeAsync(
        DrellaConfig config, string stateFolder, string programsRoot, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        string[] names = config.Sandbox.Provider == "auto" ? [Qemu, Bubblewrap] : [config.Sandbox.Provider];
        var providers = names.Select(name => Open(name, config, stateFolder, time, loggers)).ToList();
        try
        {
            var choice = await ProviderChooser.ChooseAsync(providers, cancellationToken);
            var provider = choice.Provider ?? providers[^1];
            providers.Remove(provider);
            var report = choice.Tried[^1].Report;
            // What was passed over, and why: a weaker provider is never taken in silence.
            var notes = choice.Tried.SkipLast(1).Select(verdict => $"{verdict.Provider} is not used: {Sentence(verdict.Report)}").ToList();
            var host = new GjollHost(provider, new AgentPrograms(programsRoot, new ProcessRunner(time)).Folder, OptionsOf(config, provider, report, notes));
            return new SandboxChoice(config.Sandbox, provider, host, report, loggers.CreateLogger<SandboxChoice>());
        }
        finally
        {
            foreach (var passedOver in providers)
            {
                await DisposeAsync(passedOver);
            }
        }
    }

    /// <summary>Removes what another provider has left from an earlier run: no job will ask for it again.</summary>
    public async Task SweepOthersAsync(DrellaConfig drella, string stateFolder, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken)
    {
        foreach (var name in new[] { Qemu, Bubblewrap }.Where(name => name != Provider.Name && Directory.Exists(StateOf(name, stateFolder))))
        {
            var other = Open(name, drella, stateFolder, time, loggers);
            try
            {
                var swept = await other.SweepAsync(_ => false, cancellationToken);
                foreach (var gone in swept.Destroyed)
                {
                    LogSwept(gone, name);
                }
            }
            catch (GjollException failure)
            {
                LogNotSwept(failure, name);
            }
            finally
            {
                await DisposeAsync(other);
            }
        }
    }

    /// <summary>What lets jobs' machines start warm, being made. Nothing depends on it but the time that a start takes.</summary>
    public Task Prepared { get; private set; } = Task.CompletedTask;

    /// <summary>Begins with <see cref="Prepared"/>.</summary>
    public void Prepare()
    {
        if (Works && Provider is QemuProvider qemu)
        {
            Prepared = PrepareAsync(qemu);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await Prepared;
        await DisposeAsync(Provider);
        stop.Dispose();
    }

    private async Task PrepareAsync(QemuProvider qemu)
    {
        try
        {
            await qemu.PrepareAsync(config.Image, GjollHost.Limits(Settings.Limits(config)), stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The daemon ends.
        }
        catch (GjollException failure)
        {
            LogCold(failure);
        }
    }

    private static GjollHostOptions OptionsOf(DrellaConfig config, ISandboxProvider provider, ProviderReport report, IReadOnlyList<string> notes) => provider.Name == Qemu
        ? new GjollHostOptions
        {
            Image = config.Sandbox.Image,
            Images = new ImageStore(ImageFolder(config)),
            ProgramVersion = AgentPrograms.Version,
            Grace = TimeSpan.FromSeconds(report.IsSlow ? 60 : 15),
            Probed = report,
            Notes = notes,
        }
        : new GjollHostOptions { Probed = report, Notes = notes };

    // A machine that a person asked for may be slow; one that was merely the strongest may not.
    private static Accelerator? AcceleratorOf(SandboxConfig sandbox) => sandbox.Accelerator switch
    {
        "kvm" => Accelerator.Kvm,
        "tcg" => Accelerator.Tcg,
        _ => sandbox is { Provider: "auto", AllowSlow: false } ? Accelerator.Kvm : null,
    };

    private static string StateOf(string provider, string stateFolder) => Path.Combine(stateFolder, provider == Qemu ? "machines" : "sandboxes");

    private static string Sentence(ProviderReport report) => $"{report.Reason?.TrimEnd('.')}.{(report.Remedy is { } remedy ? " " + remedy : "")}";

    private static ValueTask DisposeAsync(ISandboxProvider provider) => (provider as IAsyncDisposable)?.DisposeAsync() ?? ValueTask.CompletedTask;

    [LoggerMessage(LogLevel.Information, "Removed sandbox {Name}, which {Provider} had left")]
    private partial void LogSwept(SandboxName name, string provider);

    [LoggerMessage(LogLevel.Warning, "What {Provider} has left could not be removed")]
    private partial void LogNotSwept(Exception failure, string provider);

    [LoggerMessage(LogLevel.Warning, "Machines start cold: no template could be made")]
    private partial void LogCold(Exception failure);
}
