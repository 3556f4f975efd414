using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Images;
using Gjoll.Records;
using Microsoft.Extensions.Logging;

namespace Gjoll.Qemu;

/// <summary>
/// Sandboxes that are virtual machines of QEMU, with a kernel of their own. A machine outlives the process that started it, and is found again by its
/// record. Disposing ends the watch over deadlines and leaves the machines running.
/// </summary>
public sealed partial class QemuProvider : ISandboxProvider, IAsyncDisposable
{
    internal const string ProviderName = "qemu";

    private readonly QemuOptions _options;
    private readonly MachineFolders _folders;
    private readonly RecordStore<MachineRecord> _registry;
    private readonly Cgroups _cgroups;
    private readonly KernelUsers _users;
    private readonly BootImages _images;
    private readonly Templates _templates;
    private readonly FolderDisks _folderDisks;
    private readonly MachineHost _host;
    private readonly TemplateMaker _maker;
    private readonly WarmPool _pool;
    private readonly BootProbe _boots;
    private readonly NativePrograms _programs;
    private readonly QemuVersion _version;
    private readonly TimeProvider _time;
    private readonly ILogger<QemuProvider> _logger;

    public QemuProvider(QemuOptions options, TimeProvider time, ILogger<QemuProvider> logger)
    {
        if (!Path.IsPathFullyQualified(options.StateFolder) || !Path.IsPathFullyQualified(options.ImageFolder))
        {
            throw new ArgumentException("The state folder and the image folder must be absolute paths.", nameof(options));
        }

        _options = options;
        _time = time;
        _logger = logger;
        _folders = new MachineFolders(options.StateFolder);
        _registry = new RecordStore<MachineRecord>(_folders, MachineJson.Default.MachineRecord, time);
        _cgroups = options.UseCgroups ? Cgroups.Detect() : Cgroups.None;
        _users = new KernelUsers(_folders.Root, options.FirstUserId, () => _registry.Names().Select(name => _registry.Read(name)?.UserId).OfType<uint>());
        _images = new BootImages(new ImageStore(options.ImageFolder));
        _templates = new Templates(_folders, _registry);
        _folderDisks = new FolderDisks(_folders, time);
        _version = new QemuVersion(options.Program, time);
        _programs = new NativePrograms(options.NativeFolder);
        _host = new MachineHost(options, _folders, _registry, _cgroups, _images, _templates, _programs, time);
        _maker = new TemplateMaker(this, _host, _templates, time, logger);
        _pool = new WarmPool(options, this, _host, time);
        _boots = new BootProbe(_folders, _version, this);
        _watch = WatchAsync();
    }

    public string Name => ProviderName;

    public async Task<ISandbox> CreateAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        return await CreateMachineAsync(spec, await TemplateForAsync(spec, cancellationToken), sharedMemory: spec.Forkable, cancellationToken);
    }

    public async Task<ISandbox> ForkAsync(SandboxName source, SandboxSpec spec, CancellationToken cancellationToken)
    {
        SpecCheck.Check(spec);
        HostDisk.CheckReserve(_folders.Root, _options.DiskReserveBytes, "fork a machine");
        using (await _registry.LockAsync(spec.Name, cancellationToken))
        {
            var wanted = SpecRecord.From(spec);
            var existing = _registry.Read(spec.Name);
            if (existing is { Ready: true } && existing.Spec.IsSameAs(wanted))
            {
                return Handle(spec.Name);
            }

            if (existing is { Ready: true })
            {
                throw new GjollException($"A sandbox {spec.Name} exists already, with another specification.");
            }

            await _host.RemoveAsync(spec.Name, existing, cancellationToken);
            using var held = await _registry.LockAsync(source, cancellationToken);
            var parent = _host.Demand(source);
            if (parent.Spec.Limits.MemoryBytes != spec.Limits.MemoryBytes || parent.Spec.Limits.Cpus != spec.Limits.Cpus || parent.FolderDisks.Count != spec.ReadOnlyFolders.Count)
            {
                throw new GjollException($"A fork of {source} has its memory, processors and folders: {parent.Spec.Limits.MemoryBytes >> 20} MiB, {parent.Spec.Limits.Cpus}, {parent.FolderDisks.Count}.");
            }

            await CopyAsync(source, parent, spec.Name, wanted, cancellationToken);
        }

        var fork = Handle(spec.Name);
        await fork.StartAsync(cancellationToken);
        return fork;
    }

    public Task<ISandbox?> FindAsync(SandboxName name, CancellationToken cancellationToken)
    {
        cancellationToken.ThrowIfCancellationRequested();
        return Task.FromResult<ISandbox?>(_registry.Read(name) is { Ready: true } ? Handle(name) : null);
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

    /// <summary>
    /// Makes the template of an image and a shape when there is none, so that a later <see cref="CreateAsync"/> of that shape starts warm. Takes a boot and
    /// more; cancelling leaves nothing. Returns the template's id.
    /// </summary>
    public async Task<string> PrepareAsync(string? image, SandboxLimits limits, CancellationToken cancellationToken)
    {
        PrepareFolders();
        var reference = await _images.ResolveAsync(image ?? _options.DefaultImage, cancellationToken);
        return await MakeTemplateAsync(reference, limits, cancellationToken);
    }

    /// <summary>
    /// From now on this process keeps so many machines of an image and a shape running and without an owner, for <see cref="CreateAsync"/> to take, within
    /// <see cref="QemuOptions.PoolMemoryBytes"/>. They are made in the background, one at a time, and go when nobody has wanted one for
    /// <see cref="QemuOptions.PoolIdle"/>; the next that is wanted brings them back. Zero ends it.
    /// </summary>
    public void KeepReady(string? image, SandboxLimits limits, int count) => _pool.Keep(image ?? _options.DefaultImage, limits, count);

    /// <summary>What the guest last wrote on its console.</summary>
    public async Task<string> ReadConsoleAsync(SandboxName name, CancellationToken cancellationToken)
    {
        using var held = await _registry.LockAsync(name, cancellationToken);
        return await _host.ConsoleAsync(name, cancellationToken);
    }

    /// <summary>What the watch does by itself.</summary>
    internal Task FillPoolOnceAsync(CancellationToken cancellationToken) => _pool.FillAsync(cancellationToken);

    /// <summary>As if this process had died just before the end of a start.</summary>
    internal async Task PretendItIsNotUpAsync(SandboxName name, CancellationToken cancellationToken)
    {
        using var held = await _registry.LockAsync(name, cancellationToken);
        var record = _host.Demand(name);
        _registry.Write(name, record with { Next = Beginning.Template, Run = record.Run! with { IsUp = false } });
    }

    internal async Task StartAsync(QemuSandbox sandbox, CancellationToken cancellationToken)
    {
        var record = _host.Demand(sandbox.Name);
        if (MachineHost.IsRunning(record) && record.Run!.IsUp)
        {
            await _host.EnsureWardenAsync(sandbox.Name, cancellationToken);
            return;
        }

        var accelerator = await AcceleratorAsync(record.Image, cancellationToken);
        await StartAsync(sandbox, accelerator, cancellationToken);
    }

    internal async Task StartAsync(QemuSandbox sandbox, Accelerator accelerator, CancellationToken cancellationToken)
    {
        using var held = await _registry.LockAsync(sandbox.Name, cancellationToken);
        await _host.StartAsync(sandbox.Name, accelerator, cancellationToken);
    }

    internal async Task<QemuSandbox> CreateMachineAsync(SandboxSpec spec, string? template, bool sharedMemory, CancellationToken cancellationToken, bool isForPool = false)
    {
        PrepareFolders();
        HostDisk.CheckReserve(_folders.Root, _options.DiskReserveBytes, "make a machine");
        using var held = await _registry.LockAsync(spec.Name, cancellationToken);
        var wanted = SpecRecord.From(spec);
        var record = _registry.Read(spec.Name);
        if (record is { Removing: true })
        {
            await _host.RemoveAsync(spec.Name, record, cancellationToken);
            record = null;
        }

        if (record is not null && !record.Spec.IsSameAs(wanted))
        {
            throw new GjollException($"A sandbox {spec.Name} exists already, with another specification.");
        }

        if (record is null && template is not null && !sharedMemory && !isForPool && await _pool.TakeAsync(spec.Name, template, wanted, cancellationToken))
        {
            LogTaken(spec.Name);
            return Handle(spec.Name);
        }

        record ??= await RegisterAsync(
            spec, wanted, await _images.ResolveAsync(spec.Image ?? _options.DefaultImage, cancellationToken), template, sharedMemory, cancellationToken);
        if (!record.Ready)
        {
            var image = await _images.OpenAsync(record.Image, cancellationToken);
            MakeFolders(spec.Name, record);
            await _host.MakeDiskAsync(spec.Name, record, image, cancellationToken);
            _registry.Write(spec.Name, record with { Ready = true });
            LogCreated(spec.Name);
        }

        return Handle(spec.Name);
    }

    private async Task<string?> TemplateForAsync(SandboxSpec spec, CancellationToken cancellationToken)
    {
        if (spec.Start == WarmStart.Never || _registry.Read(spec.Name) is not null)
        {
            return null;
        }

        PrepareFolders();
        var reference = await _images.ResolveAsync(spec.Image ?? _options.DefaultImage, cancellationToken);
        if (spec.ReadOnlyFolders.Count > 0)
        {
            return spec.Start == WarmStart.Demand
                ? throw new GjollException("A sandbox with read-only folders has disks of its own and cannot start warm.")
                : null;
        }

        if (spec.Start == WarmStart.Demand)
        {
            return await MakeTemplateAsync(reference, spec.Limits, cancellationToken);
        }

        var (image, accelerator, host) = await ShapeAsync(reference, cancellationToken);
        var id = Templates.IdOf(image.Digest, TemplateMaker.ShapeOf(image, spec.Limits, accelerator), host);
        return _templates.Read(id) is null ? null : id;
    }

    private async Task<string> MakeTemplateAsync(string reference, SandboxLimits limits, CancellationToken cancellationToken)
    {
        var (image, accelerator, host) = await ShapeAsync(reference, cancellationToken);
        return await _maker.EnsureAsync(image, reference, limits, accelerator, host, cancellationToken);
    }

    private async Task<(BootImage Image, Accelerator Accelerator, string Host)> ShapeAsync(string reference, CancellationToken cancellationToken)
    {
        var accelerator = await AcceleratorAsync(reference, cancellationToken);
        var version = await _version.ReadAsync(cancellationToken);
        return (await _images.OpenAsync(reference, cancellationToken), accelerator, QemuVersion.HostOf(version, accelerator));
    }

    internal async Task<Accelerator> AcceleratorAsync(string reference, CancellationToken cancellationToken) =>
        _options.Accelerator ?? ((await _boots.TryAsync(reference, Accelerator.Kvm, cancellationToken)).Works ? Accelerator.Kvm : Accelerator.Tcg);

    private async Task<MachineRecord> RegisterAsync(
        SandboxSpec spec, SpecRecord wanted, string image, string? template, bool sharedMemory, CancellationToken cancellationToken)
    {
        List<string> disks = [];
        foreach (var folder in spec.ReadOnlyFolders)
        {
            disks.Add(await _folderDisks.EnsureAsync(folder.HostPath, cancellationToken));
        }

        return await RegisterAsync(
            spec.Name,
            new MachineRecord
            {
                Name = spec.Name.Value,
                Spec = wanted,
                Created = _time.GetUtcNow(),
                Image = image,
                UserId = 0,
                DropUser = Native.IsRoot,
                Template = template,
                Next = template is null ? Beginning.Boot : Beginning.Template,
                SharedMemory = sharedMemory,
                FolderDisks = disks,
            },
            cancellationToken);
    }

    private async Task<MachineRecord> RegisterAsync(SandboxName name, MachineRecord record, CancellationToken cancellationToken)
    {
        using var all = await _registry.LockAllAsync(cancellationToken);
        record = record with { UserId = record.DropUser ? _users.Choose() : Native.UserId };
        Directory.CreateDirectory(_folders.Of(name));
        _registry.Write(name, record);
        return record;
    }

    private async Task CopyAsync(SandboxName source, MachineRecord parent, SandboxName name, SpecRecord spec, CancellationToken cancellationToken)
    {
        var record = await RegisterAsync(
            name,
            new MachineRecord
            {
                Name = name.Value, Spec = spec, Created = _time.GetUtcNow(), Image = parent.Image, UserId = 0, DropUser = parent.DropUser, Template = parent.Template,
                Next = Beginning.State, SharedMemory = parent.SharedMemory, FolderDisks = parent.FolderDisks,
            },
            cancellationToken);
        MakeFolders(name, record);
        Directory.CreateDirectory(_folders.State(name), Modes.Owner);
        Directory.CreateDirectory(_folders.Warden(name), Modes.Owner);
        await _host.FreezeAsync(
            source,
            parent,
            async (monitor, token) =>
            {
                await _host.SaveStateAsync(monitor, source, parent, Path.Combine(_folders.State(name), MachineHost.StateFile), token);
                if (parent.SharedMemory)
                {
                    await Disks.CopyAsync(Path.Combine(_folders.Machine(source), MachineFolder.Memory), Path.Combine(_folders.State(name), MachineHost.MemoryCopy), token);
                }

                await Disks.CopyAsync(Disk(source), Disk(name), token);
                File.Copy(_host.KeyFile(source), _host.KeyFile(name), overwrite: true);
            },
            cancellationToken);
        Give(record, Disk(name));
        _registry.Write(name, record with { Ready = true });
        LogForked(name, source);
    }

    private void MakeFolders(SandboxName name, MachineRecord record)
    {
        Directory.CreateDirectory(_folders.Endpoints(name), Modes.Owner);
        Directory.CreateDirectory(_folders.Machine(name), Modes.Owner);
        Give(record, _folders.Machine(name));
    }

    private void PrepareFolders()
    {
        Directory.CreateDirectory(_folders.Root);
        foreach (var folder in (string[])[_folders.Sandboxes, _folders.Locks])
        {
            Directory.CreateDirectory(folder, Modes.Owner);
        }
    }

    private QemuSandbox Handle(SandboxName name) => new(name, this, _host);

    private string Disk(SandboxName name) => Path.Combine(_folders.Machine(name), MachineFolder.Disk);

    private static void Give(MachineRecord record, string path)
    {
        if (record.DropUser)
        {
            Native.ChangeOwner(path, record.UserId, record.UserId);
        }
    }

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} created")]
    private partial void LogCreated(SandboxName name);

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} forked from {Source}")]
    private partial void LogForked(SandboxName name, SandboxName source);

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} taken from the pool")]
    private partial void LogTaken(SandboxName name);

    [LoggerMessage(LogLevel.Information, "Sandbox {Name} destroyed")]
    private partial void LogDestroyed(SandboxName name);
}
