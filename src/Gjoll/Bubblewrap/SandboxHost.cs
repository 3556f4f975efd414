using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>What sandbox handles and the provider share. Callers hold the lock of the name where they change something.</summary>
internal sealed class SandboxHost(BubblewrapOptions options, SandboxFolders folders, RecordStore<SandboxRecord> registry, Cgroups cgroups, TimeProvider time)
    : ISweepable<SandboxRecord>
{
    private readonly Starter _starter = new(options, folders, cgroups, time);
    private readonly Ender _ender = new(time);

    public SandboxFolders Folders => folders;

    public RecordStore<SandboxRecord> Registry => registry;

    public Cgroups Cgroups => cgroups;

    public TimeProvider Time => time;

    public SandboxRecord Demand(SandboxName name) =>
        registry.Read(name) is { Ready: true } record ? record : throw new GjollException($"There is no sandbox {name}.");

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
            EndpointFolder = folders.Endpoints(name),
        };
    }

    public async Task StartAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        var endpoints = new Endpoints(folders, name);
        endpoints.Refresh(record, demand: true);
        if (record.Run is { } present && ProcessTable.IsAlive(present.Init))
        {
            return;
        }

        // What an earlier start left, or a start whose record was never written because its host died.
        await EndAllAsync(name, record, cancellationToken);
        record = record with { WasStarted = true, Run = null, Cgroups = cgroups.Plan(folders.Marker(name)) };
        registry.Write(name, record);
        var started = false;
        try
        {
            record = record with { Run = await _starter.StartAsync(name, record, cancellationToken) };
            registry.Write(name, record);
            started = true;
        }
        finally
        {
            if (!started)
            {
                using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
                await EndAllAsync(name, record, bounded.Token);
            }
        }
    }

    public bool WasStarted(SandboxRecord record) => record is { Ready: true, WasStarted: true };

    public Task StopAsync(SandboxName name, CancellationToken cancellationToken) => StopAsync(name, TimeSpan.Zero, cancellationToken);

    public async Task StopAsync(SandboxName name, TimeSpan grace, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is { } run && grace > TimeSpan.Zero)
        {
            await _ender.AskToEndAsync(run.Init, run.PidNamespace, run.Residents, grace, cancellationToken);
        }

        await EndAllAsync(name, record, cancellationToken);
        if (record.Run is not null)
        {
            registry.Write(name, record with { Run = null, Cgroups = [] });
        }
    }

    /// <summary>Everything but the record first, so that what is left after a crash still has one.</summary>
    public async Task RemoveAsync(SandboxName name, SandboxRecord? record, CancellationToken cancellationToken)
    {
        if (record is { Removing: false })
        {
            record = record with { Ready = false, Removing = true };
            registry.Write(name, record);
        }

        await EndAllAsync(name, record, cancellationToken);
        if (!Directory.Exists(folders.Of(name)))
        {
            return;
        }

        var layer = new WritableLayer(folders, name, record ?? Unknown(name));
        foreach (var part in Directory.EnumerateFileSystemEntries(folders.Of(name)).Where(part => part != folders.Record(name)))
        {
            await layer.RemoveAsync(part, cancellationToken);
        }

        await layer.RemoveAsync(folders.Of(name), cancellationToken);
    }

    private async Task EndAllAsync(SandboxName name, SandboxRecord? record, CancellationToken cancellationToken)
    {
        if (record is null or { WasStarted: true })
        {
            await _ender.EndProcessesAsync(folders.Marker(name), record?.Run?.Init, cancellationToken);
        }

        await _ender.RemoveCgroupsAsync(record?.Cgroups ?? [], cancellationToken);
    }

    private SandboxRecord Unknown(SandboxName name) => new()
    {
        Name = name.Value,
        Spec = SpecRecord.From(new SandboxSpec { Name = name }),
        Created = time.GetUtcNow(),
        UserId = Native.UserId,
        DropUser = Native.IsRoot,
        DiskImage = false,
    };
}
