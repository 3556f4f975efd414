using Gjoll.Bubblewrap;
using Gjoll.Cli.Terminal;
using Gjoll.Environments;
using Gjoll.Images;
using Gjoll.OpenTofu;
using Gjoll.Qemu;
using Microsoft.Extensions.Logging;

namespace Gjoll.Cli.Work;

/// <summary>All that lies under one home folder: instances, the providers with their sandboxes, images. A provider is made when it is first asked for.</summary>
internal sealed class House(string home, Speaker speaker, bool verbose, TimeProvider time) : IAsyncDisposable
{
    public const string Bubblewrap = "bubblewrap";
    public const string Qemu = "qemu";
    public const string OpenTofu = "opentofu";

    private readonly Dictionary<string, ISandboxProvider> _made = new(StringComparer.Ordinal);
    private InstanceStore? _instances;

    public string Home => home;

    public TimeProvider Time => time;

    public InstanceStore Instances => _instances ??= new InstanceStore(home, time);

    public ImageStore Images { get; } = new(Path.Combine(home, "images"));

    /// <summary>What machines boot from when nothing else is said, and so what is tried whether they work. Set before a provider is asked for.</summary>
    public string Image { get; set; } = "drellaos";

    /// <summary>For what is on its way between guest and host.</summary>
    public string Scratch => Path.Combine(home, "scratch");

    public string Cache => Path.Combine(home, "cache");

    /// <summary>The strongest first; those that only a file can ask for are not among them.</summary>
    public static IReadOnlyList<string> Ranking { get; } = [Qemu, Bubblewrap];

    /// <summary>Every provider, for what concerns all sandboxes.</summary>
    public static IReadOnlyList<string> AllProviders { get; } = [Qemu, Bubblewrap, OpenTofu];

    public ISandboxProvider Provider(string name)
    {
        if (!_made.TryGetValue(name, out var provider))
        {
            _made[name] = provider = name switch
            {
                Bubblewrap => new BubblewrapProvider(new BubblewrapOptions { StateFolder = StateOf(name) }, time, Log<BubblewrapProvider>()),
                Qemu => new QemuProvider(new QemuOptions { StateFolder = StateOf(name), ImageFolder = Images.Folder, DefaultImage = Image }, time, Log<QemuProvider>()),
                OpenTofu => new OpenTofuProvider(
                    new OpenTofuOptions
                    {
                        StateFolder = StateOf(name), Environment = Surroundings.All(), Program = Surroundings.Variable("GJOLL_TOFU") ?? "tofu", Progress = line => speaker.Say($"tofu: {line}"),
                    },
                    time,
                    Log<OpenTofuProvider>()),
                _ => throw new VerbFailure(ExitCode.Usage, $"There is no provider '{TerminalText.Line(name, 40)}'; there are {string.Join(", ", AllProviders)}."),
            };
        }

        return provider;
    }

    /// <summary>True when a sandbox of this provider may lie under this home: others are not made just to look.</summary>
    public bool WasUsed(string provider) => Directory.Exists(StateOf(provider));

    /// <exception cref="VerbFailure">There is none.</exception>
    public Instance Demand(SandboxName name) => Instances.Read(name) ?? throw NoInstance(name);

    /// <exception cref="VerbFailure">There is none.</exception>
    public async Task<ISandbox> FindAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var instance = Demand(name);
        return await Provider(instance.Provider).FindAsync(name, cancellationToken)
            ?? throw new VerbFailure(ExitCode.NotFound, $"The sandbox {name} was not finished: remove what is left of it with 'gjoll down {name}'.");
    }

    /// <exception cref="VerbFailure">There is none, or it does not run.</exception>
    public async Task<ISandbox> FindRunningAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var sandbox = await FindAsync(name, cancellationToken);
        return (await sandbox.InspectAsync(cancellationToken)).State == SandboxState.Running
            ? sandbox
            : throw new VerbFailure(ExitCode.Refused, $"The sandbox {name} does not run: 'gjoll start {name}' starts it.");
    }

    /// <summary>Waits for whoever else is changing the sandbox, and says so when that takes time.</summary>
    public async Task<InstanceLock> LockAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var taking = Instances.LockAsync(name, cancellationToken);
        using var done = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        if (await Task.WhenAny(taking, Task.Delay(TimeSpan.FromSeconds(1), time, done.Token)) != taking && !cancellationToken.IsCancellationRequested)
        {
            speaker.Say($"waiting for another command that works on {name}");
        }

        var held = await taking;
        await done.CancelAsync();
        return held;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var provider in _made.Values.OfType<IAsyncDisposable>())
        {
            await provider.DisposeAsync();
        }
    }

    private string StateOf(string provider) => Path.Combine(home, provider);

    private VerbFailure NoInstance(SandboxName name)
    {
        var near = Nearest.To(name.Value, Instances.Names().Select(known => known.Value));
        return new VerbFailure(ExitCode.NotFound, $"There is no sandbox {name}{(near is null ? "" : $"; did you mean {near}?")} ('gjoll list' names them).");
    }

    private TalkLogger<T> Log<T>() => new(speaker, verbose ? LogLevel.Information : LogLevel.Warning);
}
