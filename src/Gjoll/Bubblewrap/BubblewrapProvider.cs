using Gjoll.Hosts;
using Gjoll.Records;
using Microsoft.Extensions.Logging;

namespace Gjoll.Bubblewrap;

/// <summary>
/// Sandboxes made of Linux namespaces by bubblewrap: for development and for machines without virtualisation. The guest shares the host's kernel; what
/// that means is said by <see cref="ProbeAsync"/>. Disposing ends the watch over deadlines and disks and leaves the sandboxes running.
/// </summary>
public sealed partial class BubblewrapProvider : ISandboxProvider, IAsyncDisposable
{
    internal const string ProviderName = "bubblewrap";

    private readonly BubblewrapOptions _options;
    private readonly SandboxFolders _folders;
    private readonly RecordStore<SandboxRecord> _registry;
    private readonly Cgroups _cgroups;
    private readonly KernelUsers _users;
    private readonly SandboxHost _host;
    private readonly HostAbilities _abilities;
    private readonly TimeProvider _time;
    private readonly ILogger<BubblewrapProvider> _logger;

    public BubblewrapProvider(BubblewrapOptions options, TimeProvider time, ILogger<BubblewrapProvider> logger)
    {
        if (!Path.IsPathFullyQualified(options.StateFolder))
        {
            throw new ArgumentException($"The state folder '{options.StateFolder}' is not an absolute path.", nameof(options));
        }

        _options = options;
        _time = time;
        _logger = logger;
        _folders = new SandboxFolders(options.StateFolder);
        _registry = new RecordStore<SandboxRecord>(_folders, RecordJson.Default.SandboxRecord, time);
        _cgroups = options.UseCgroups ? Cgroups.Detect() : Cgroups.None;
        _users = new KernelUsers(_folders.Root, options.FirstUserId, () => _registry.Names().Select(name => _registry.Read(name)?.UserId).OfType<uint>());
        _host = new SandboxHost(options, _folders, _registry, _cgroups, time);
        _abilities = new HostAbilities(options, _folders, _cgroups);
        _watch = WatchAsync();
    }

    public string Name => ProviderName;

    public async Task<ISandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        if (spec.Image is not null || spec.Start == WarmStart.Demand)
        {
            throw new GjollException("The bubblewrap provider has no images and no warm starts: use the qemu provider, or leave them out.");
        }

        CheckSocketLengths(spec);
        PrepareFolders();
        using var held = await _registry.LockAsync(spec.Name, cancellationToken);
        var wanted = SpecRecord.From(spec);
        var record = _registry.Read(spec.Name);
        if (record is { Removing: true })
        {
            // Whoever was destroying it died; the name is free once that is done.
            await _host.RemoveAsync(spec.Name, record, cancellationToken);
            record = null;
        }

        if (record is not null && !record.Spec.IsSameAs(wanted))
        {
            throw new GjollException($"A sandbox {spec.Name} exists already, with another specification.");
        }

        if (record is not { Ready: true })
        {
            _host.CheckReserve("make a sandbox");
        }

        if (record is null)
        {
            record = await RegisterAsync(spec.Name, wanted, cancellationToken);
        }

        if (!record.Ready)
        {
            new Endpoints(_folders, spec.Name).Make();
            await new WritableLayer(_folders, spec.Name, record).MakeAsync(cancellationToken);
            _registry.Write(spec.Name, record with { Ready = true });
            LogCreated(spec.Name);
        }

        return new BubblewrapSandbox(spec.Name, _host);
    }

    public Task<ISandbox> ForkAsync(SandboxName source, SandboxSpec spec, CancellationToken cancellationToken) =>
        throw new GjollException("The bubblewrap provider cannot copy a running sandbox: snapshot a stopped one, or use the qemu provider.");

    public async Task<ISandbox?> FindAsync(SandboxName name, CancellationToken cancellationToken)
    {
        if (_registry.Read(name) is not { Ready: true })
        {
            return null;
        }

        using var held = await _registry.LockAsync(name, cancellationToken);
        if (_registry.Read(name) is not { Ready: true })
        {
            return null;
        }

        return new BubblewrapSandbox(name, _host);
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

    private async Task<SandboxRecord> RegisterAsync(SandboxName name, SpecRecord spec, CancellationToken cancellationToken)
    {
        var image = await _abilities.CanMountImagesAsync(cancellationToken);
        using var all = await _registry.LockAllAsync(cancellationToken);
        var record = new SandboxRecord
        {
            Name = name.Value,
            Spec = spec,
            Created = _time.GetUtcNow(),
            UserId = Native.IsRoot ? _users.Choose() : Native.UserId,
            DropUser = Native.IsRoot,
            DiskImage = image,
        };
        Directory.CreateDirectory(_folders.Of(name));
        _registry.Write(name, record);
        return record;
    }

    // Records and layers are the owner's own; the endpoints are reached through mounts, not through these folders.
    private void PrepareFolders()
    {
        Directory.CreateDirectory(_folders.Root);
        foreach (var folder in (string[])[_folders.Sandboxes, _folders.Locks])
        {
            Directory.CreateDirectory(folder, Modes.Owner);
        }
    }

    private void CheckSocketLengths(SandboxSpec spec)
    {
        const int Longest = 107;
        var endpoints = new Endpoints(_folders, spec.Name);
        string[] own = [_folders.Control(spec.Name), _folders.LinkSocket(spec.Name)];
        foreach (var socket in spec.Forwards.Select(forward => endpoints.HostPath(forward.HostSocket)).Concat(own))
        {
            if (System.Text.Encoding.UTF8.GetByteCount(socket) > Longest)
            {
                throw new ArgumentException($"The path of the socket '{socket}' is longer than the {Longest} bytes that Linux allows.");
            }
        }
    }

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} created")]
    private partial void LogCreated(SandboxName name);

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} destroyed")]
    private partial void LogDestroyed(SandboxName name);
}
