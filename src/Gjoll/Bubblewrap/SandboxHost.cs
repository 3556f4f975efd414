using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>What sandbox handles and the provider share. Callers hold the lock of the name where they change something.</summary>
internal sealed class SandboxHost : ISweepable<SandboxRecord>, IAsyncDisposable
{
    private readonly SandboxFolders _folders;
    private readonly RecordStore<SandboxRecord> _registry;
    private readonly Cgroups _cgroups;
    private readonly long _reserve;
    private readonly TimeProvider _time;
    private readonly GuestChannels _channels;
    private readonly BubblewrapWarden _wardens;
    private readonly Starter _starter;
    private readonly Ender _ender;

    public SandboxHost(BubblewrapOptions options, SandboxFolders folders, RecordStore<SandboxRecord> registry, Cgroups cgroups, TimeProvider time)
    {
        (_folders, _registry, _cgroups, _reserve, _time) = (folders, registry, cgroups, options.DiskReserveBytes, time);
        _wardens = new BubblewrapWarden(options, folders, time);
        _starter = new Starter(options, folders, cgroups, _wardens, time);
        _ender = new Ender(time);
        _channels = new GuestChannels(time);
    }

    public SandboxFolders Folders => _folders;

    public RecordStore<SandboxRecord> Registry => _registry;

    public GuestChannel Channel(SandboxName name) => _channels.Of(name, name => new RunningSandbox(name, _folders, _registry, _wardens));

    /// <exception cref="GjollException">Less than the reserve is free.</exception>
    public void CheckReserve(string attempt) => HostDisk.CheckReserve(_folders.Root, _reserve, attempt);

    public SandboxRecord Demand(SandboxName name) =>
        _registry.Read(name) is { Ready: true } record ? record : throw new GjollException($"There is no sandbox {name}.");

    public SandboxInfo Describe(SandboxName name, SandboxRecord record)
    {
        var running = record.Run is { } run && ProcessTable.IsAlive(run.Init);
        return new SandboxInfo
        {
            Name = name,
            Provider = BubblewrapProvider.ProviderName,
            Labels = record.Spec.Labels,
            State = running ? SandboxState.Running : record.WasStarted ? SandboxState.Stopped : SandboxState.Created,
            Created = record.Created,
            Deadline = running ? record.Run!.Deadline : null,
            GuestHome = GuestPaths.Home,
            GuestWorkspace = GuestPaths.Workspace,
            EndpointFolder = _folders.Endpoints(name),
        };
    }

    public async Task StartAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        new Endpoints(_folders, name).Demand(record);
        if (record.Run is { } present && ProcessTable.IsAlive(present.Init))
        {
            return;
        }

        CheckReserve("start a sandbox");
        // What an earlier start left, or a start whose record was never written because its host died.
        await EndAllAsync(name, record, cancellationToken);
        record = record with { WasStarted = true, Run = null, Cgroups = _cgroups.Plan(_folders.Marker(name)) };
        _registry.Write(name, record);
        var started = false;
        try
        {
            record = record with { Run = await _starter.StartAsync(name, record, cancellationToken) };
            _registry.Write(name, record);
            started = true;
        }
        finally
        {
            if (!started)
            {
                using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(10), _time);
                await EndAllAsync(name, record, bounded.Token);
            }
        }
    }

    public bool WasStarted(SandboxRecord record) => record is { Ready: true, WasStarted: true };

    public IReadOnlySet<string> BorrowedMarkers() => new HashSet<string>();

    public Task StopAsync(SandboxName name, CancellationToken cancellationToken) => StopAsync(name, TimeSpan.Zero, cancellationToken);

    public async Task StopAsync(SandboxName name, TimeSpan grace, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is { } run && grace > TimeSpan.Zero)
        {
            await _ender.AskToEndAsync(run.Init, run.PidNamespace, run.Residents, grace, cancellationToken);
        }

        await EndAllAsync(name, record, cancellationToken);
        await _channels.DisconnectAsync(name);
        if (record.Run is not null)
        {
            _registry.Write(name, record with { Run = null, Cgroups = [] });
        }
    }

    /// <summary>Everything but the record first, so that what is left after a crash still has one.</summary>
    public async Task RemoveAsync(SandboxName name, SandboxRecord? record, CancellationToken cancellationToken)
    {
        if (record is { Removing: false })
        {
            record = record with { Ready = false, Removing = true };
            _registry.Write(name, record);
        }

        await EndAllAsync(name, record, cancellationToken);
        await _channels.DisconnectAsync(name);
        if (!Directory.Exists(_folders.Of(name)))
        {
            return;
        }

        var layer = new WritableLayer(_folders, name, record ?? Unknown(name));
        foreach (var part in Directory.EnumerateFileSystemEntries(_folders.Of(name)).Where(part => part != _folders.Record(name)))
        {
            await layer.RemoveAsync(part, cancellationToken);
        }

        await layer.RemoveAsync(_folders.Of(name), cancellationToken);
    }

    public void RefreshForwards(SandboxName name)
    {
        var record = Demand(name);
        new Endpoints(_folders, name).Write(record);
        if (record.Run?.Warden is { } warden)
        {
            WardenProcess.Refresh(warden);
        }
    }

    public ValueTask DisposeAsync() => _channels.DisposeAsync();

    private async Task EndAllAsync(SandboxName name, SandboxRecord? record, CancellationToken cancellationToken)
    {
        if (record is null or { WasStarted: true })
        {
            await _ender.EndProcessesAsync(_folders.Marker(name), record?.Run?.Init, cancellationToken);
        }

        await _ender.RemoveCgroupsAsync(record?.Cgroups ?? [], cancellationToken);
    }

    private SandboxRecord Unknown(SandboxName name) => new()
    {
        Name = name.Value,
        Spec = SpecRecord.From(new SandboxSpec { Name = name }),
        Created = _time.GetUtcNow(),
        UserId = Native.UserId,
        DropUser = Native.IsRoot,
        DiskImage = false,
    };
}
