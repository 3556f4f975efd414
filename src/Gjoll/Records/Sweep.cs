using Gjoll.Hosts;

namespace Gjoll.Records;

/// <summary>One pass over all that this state folder ever made on this host.</summary>
internal sealed class Sweep<TRecord>(StateFolders folders, RecordStore<TRecord> registry, Cgroups cgroups, ISweepable<TRecord> host, TimeProvider time)
    where TRecord : class
{
    private readonly List<SandboxName> _destroyed = [];
    private readonly List<SandboxName> _stopped = [];
    private readonly List<string> _strays = [];
    private readonly List<string> _failures = [];

    public async Task<SweepReport> RunAsync(Func<SandboxInfo, bool> keep, CancellationToken cancellationToken)
    {
        foreach (var name in registry.Names())
        {
            await TryAsync($"sandbox {name}", () => SweepOneAsync(name, keep, cancellationToken));
        }

        await SweepProcessesAsync(cancellationToken);
        await SweepCgroupsAsync(cancellationToken);
        await SweepLocksAsync(cancellationToken);
        return new SweepReport(_destroyed, _stopped, _strays, _failures);
    }

    private async Task SweepOneAsync(SandboxName name, Func<SandboxInfo, bool> keep, CancellationToken cancellationToken)
    {
        using var held = await registry.LockAsync(name, cancellationToken);
        if (!Directory.Exists(folders.Of(name)))
        {
            return;
        }

        TRecord? record;
        try
        {
            record = registry.Read(name);
        }
        catch (GjollException broken)
        {
            _failures.Add(broken.Message);
            record = null;
        }

        if (record is null)
        {
            await host.RemoveAsync(name, null, cancellationToken);
            held.RemoveFile();
            _strays.Add($"folder of {name}, which has no record");
        }
        else if (!keep(host.Describe(name, record)))
        {
            await host.RemoveAsync(name, record, cancellationToken);
            held.RemoveFile();
            _destroyed.Add(name);
        }
        else if (host.Describe(name, record) is { State: SandboxState.Running, Deadline: { } deadline })
        {
            if (deadline <= time.GetUtcNow())
            {
                await host.StopAsync(name, cancellationToken);
                _stopped.Add(name);
            }
        }
        else if (host.WasStarted(record))
        {
            // It ended by itself, or the host died while it started: what is around it goes, what it holds stays.
            await host.StopAsync(name, cancellationToken);
        }
    }

    private async Task SweepProcessesAsync(CancellationToken cancellationToken)
    {
        foreach (var marker in Marking.Marked().Select(process => process.Marker).Where(marker => marker.StartsWith(folders.MarkerPrefix, StringComparison.Ordinal)).Distinct().ToList())
        {
            if (SandboxName.TryParse(marker[folders.MarkerPrefix.Length..], out var name))
            {
                await TryAsync($"processes of {name}", async () =>
                {
                    using var held = await registry.LockAsync(name.Value, cancellationToken);
                    if (!Directory.Exists(folders.Of(name.Value)) && !host.BorrowedMarkers().Contains(marker))
                    {
                        await new Ender(time).EndProcessesAsync(marker, null, cancellationToken);
                        held.RemoveFile();
                        _strays.Add($"processes of {name}, which has no record");
                    }
                });
            }
        }
    }

    private async Task SweepCgroupsAsync(CancellationToken cancellationToken)
    {
        foreach (var group in cgroups.Bases.SelectMany(parent => Directory.EnumerateDirectories(parent, folders.MarkerPrefix + "*")).ToList())
        {
            if (SandboxName.TryParse(Path.GetFileName(group)[folders.MarkerPrefix.Length..], out var name))
            {
                await TryAsync($"cgroup {group}", async () =>
                {
                    using var held = await registry.LockAsync(name.Value, cancellationToken);
                    if (!Directory.Exists(folders.Of(name.Value)) && !host.BorrowedMarkers().Contains(Path.GetFileName(group)))
                    {
                        await new Ender(time).RemoveCgroupsAsync([group], cancellationToken);
                        held.RemoveFile();
                        _strays.Add($"cgroup {group}, which has no record");
                    }
                });
            }
        }
    }

    /// <summary>Whoever died between taking a name and making something of it left only this.</summary>
    private async Task SweepLocksAsync(CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folders.Locks))
        {
            return;
        }

        foreach (var file in Directory.EnumerateFiles(folders.Locks, "*" + StateFolders.LockSuffix).ToList())
        {
            if (SandboxName.TryParse(Path.GetFileName(file)[..^StateFolders.LockSuffix.Length], out var name) && !Directory.Exists(folders.Of(name.Value)))
            {
                using var held = await registry.LockAsync(name.Value, cancellationToken);
                if (!Directory.Exists(folders.Of(name.Value)))
                {
                    held.RemoveFile();
                }
            }
        }
    }

    private async Task TryAsync(string what, Func<Task> work)
    {
        try
        {
            await work();
        }
        catch (Exception failure) when (failure is GjollException or IOException or UnauthorizedAccessException)
        {
            _failures.Add($"{what}: {failure.Message}");
        }
    }
}
