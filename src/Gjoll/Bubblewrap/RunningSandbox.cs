using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>A sandbox as its channel sees it: by its record, whoever started it.</summary>
internal sealed class RunningSandbox(SandboxName name, SandboxFolders folders, RecordStore<SandboxRecord> registry, BubblewrapWarden wardens) : IWardenHost
{
    public async Task<string> EnsureWardenAsync(CancellationToken cancellationToken)
    {
        if (Warden(Demand()) is null)
        {
            using var held = await registry.LockAsync(name, cancellationToken);
            var record = Demand();
            if (Warden(record) is null)
            {
                // Known to the sweep by its mark, should we die before the record is written.
                var warden = await wardens.StartAsync(name, record, cancellationToken);
                registry.Write(name, record with { Run = record.Run! with { Warden = warden } });
            }
        }

        return folders.Control(name);
    }

    public bool IsRunning() => registry.Read(name) is { Ready: true, Run: { } run } && ProcessTable.IsStaying(run.Init);

    private static ProcessIdentity? Warden(SandboxRecord record) => record.Run?.Warden is { } warden && ProcessTable.IsAlive(warden) ? warden : null;

    private SandboxRecord Demand() => registry.Read(name) switch
    {
        { Ready: true, Run: { Warden: null } run } when ProcessTable.IsStaying(run.Init) =>
            throw new GjollException($"Sandbox {name} was started by an earlier version: stop it and start it again."),
        { Ready: true, Run: { } run } record when ProcessTable.IsStaying(run.Init) => record,
        { Ready: true } => throw new GjollException($"Sandbox {name} is not running."),
        _ => throw new GjollException($"There is no sandbox {name}."),
    };
}

/// <summary>A sandbox that is being started: its warden was started just before, and nothing of it stands in the record yet.</summary>
internal sealed class StartingSandbox(string control, ProcessIdentity init) : IWardenHost
{
    public Task<string> EnsureWardenAsync(CancellationToken cancellationToken) => Task.FromResult(control);

    public bool IsRunning() => ProcessTable.IsStaying(init);
}
