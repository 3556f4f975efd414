using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;
using Microsoft.Extensions.Logging;

namespace Gjoll.OpenTofu;

/// <summary>
/// Sandboxes that are machines of any cloud, made by <c>tofu</c> from a file of the user's, which <see cref="SandboxSpec.Image"/> names by its absolute
/// path. See docs/formats/environment.md for its variables and outputs. Lifetimes are looked at by sweeps only.
/// </summary>
public sealed partial class OpenTofuProvider : ISandboxProvider, IAsyncDisposable
{
    internal const string ProviderName = "opentofu";

    private readonly OpenTofuOptions _options;
    private readonly TofuFolders _folders;
    private readonly RecordStore<TofuRecord> _registry;
    private readonly TofuHost _host;
    private readonly TimeProvider _time;
    private readonly ILogger<OpenTofuProvider> _logger;

    public OpenTofuProvider(OpenTofuOptions options, TimeProvider time, ILogger<OpenTofuProvider> logger)
    {
        if (!Path.IsPathFullyQualified(options.StateFolder))
        {
            throw new ArgumentException($"The state folder '{options.StateFolder}' is not an absolute path.", nameof(options));
        }

        _options = options;
        _time = time;
        _logger = logger;
        _folders = new TofuFolders(options.StateFolder);
        _registry = new RecordStore<TofuRecord>(_folders, TofuJson.Default.TofuRecord, time);
        _host = new TofuHost(options, _folders, _registry, time);
    }

    public string Name => ProviderName;

    /// <summary>Looks for the programs; no machine is made, since that costs money.</summary>
    public async Task<ProviderReport> ProbeAsync(CancellationToken cancellationToken)
    {
        var missing = ((string Program, string Package)[])[("ssh", "openssh-client"), ("ssh-keygen", "openssh-client"), ("setsid", "util-linux")];
        var packages = missing.Where(need => !HostProcess.IsInstalled(need.Program)).Select(need => need.Package).Distinct().ToList();
        if (packages.Count > 0)
        {
            return new ProviderReport(false, $"Programs of the packages {string.Join(", ", packages)} are missing.", $"apt install {string.Join(' ', packages)}", []);
        }

        try
        {
            await Tofu.VersionAsync(_options, cancellationToken);
            var programs = new NativePrograms(_options.NativeFolder);
            _ = (programs.Warden, programs.Guest);
        }
        catch (GjollException absent)
        {
            return new ProviderReport(false, absent.Message, "Install OpenTofu (https://opentofu.org/docs/intro/install) so that 'tofu version' works.", []);
        }

        return new ProviderReport(true, null, null,
        [
            "What the machine can reach is up to the user's file: nothing here keeps it from a network.",
            "Memory, processors, disk and processes are those of the machine; the limits of the specification are not enforced.",
            "The lifetime is enforced by 'gjoll gc' only: a machine that nobody looks at costs money until then.",
        ])
        {
            Foreign = "The machine is run by whoever the user's file names: what contains it is theirs.",
        };
    }

    public async Task<ISandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        if (spec.Image is not { } source || !Path.IsPathFullyQualified(source))
        {
            throw new ArgumentException("The opentofu provider needs the absolute path of an OpenTofu file as image.");
        }

        if (spec.ReadOnlyFolders.Count > 0)
        {
            throw new GjollException("The opentofu provider cannot show folders of the host to the guest: copy them.");
        }

        if (spec.Start == WarmStart.Demand)
        {
            throw new GjollException("The opentofu provider cannot start warm: use the qemu provider.");
        }

        Directory.CreateDirectory(_folders.Sandboxes, Modes.Owner);
        using var held = await _registry.LockAsync(spec.Name, cancellationToken);
        var wanted = SpecRecord.From(spec);
        var record = _registry.Read(spec.Name);
        if (record is { Removing: true })
        {
            await _host.RemoveAsync(spec.Name, record, cancellationToken);
            record = null;
        }

        if (record is not null && (!record.Spec.IsSameAs(wanted) || record.Source != source))
        {
            throw new GjollException($"A sandbox {spec.Name} exists already, with another specification.");
        }

        if (record is not { Ready: true })
        {
            record ??= new TofuRecord { Name = spec.Name.Value, Spec = wanted, Created = _time.GetUtcNow(), Source = source };
            Directory.CreateDirectory(_folders.Of(spec.Name), Modes.Owner);
            _registry.Write(spec.Name, record);
            await _host.PrepareAsync(spec.Name, source, cancellationToken);
            _registry.Write(spec.Name, record with { Ready = true });
            LogCreated(spec.Name);
        }

        return new TofuSandbox(spec.Name, _host);
    }

    public Task<ISandbox> ForkAsync(SandboxName source, SandboxSpec spec, CancellationToken cancellationToken) =>
        throw new GjollException("The opentofu provider cannot copy a running machine: use the qemu provider.");

    public Task<ISandbox?> FindAsync(SandboxName name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<ISandbox?>(_registry.Read(name) is { Ready: true } ? new TofuSandbox(name, _host) : null);
    }

    public Task<IReadOnlyList<SandboxInfo>> ListAsync(CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        IReadOnlyList<SandboxInfo> found =
            [.. _registry.Names().Select(name => (name, record: _registry.Read(name))).Where(pair => pair.record is not null).Select(pair => _host.Describe(pair.name, pair.record!))];
        return Task.FromResult(found);
    }

    public async Task DestroyAsync(SandboxName name, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(_folders.Of(name)))
        {
            return;
        }

        using var held = await _registry.LockAsync(name, cancellationToken);
        await _host.RemoveAsync(name, _registry.Read(name), cancellationToken);
        held.RemoveFile();
        LogDestroyed(name);
    }

    public Task<SweepReport> SweepAsync(Func<SandboxInfo, bool> keep, CancellationToken cancellationToken) =>
        new Sweep<TofuRecord>(_folders, _registry, Cgroups.None, _host, _time).RunAsync(keep, cancellationToken);

    public ValueTask DisposeAsync() => _host.DisposeAsync();

    /// <summary>What the user's file said at the last start; null before the first.</summary>
    public TofuOutputs? OutputsOf(SandboxName name) => _registry.Read(name)?.Outputs;

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} created")]
    private partial void LogCreated(SandboxName name);

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} destroyed")]
    private partial void LogDestroyed(SandboxName name);
}
