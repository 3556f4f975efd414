using System.Globalization;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

/// <summary>One pass over all that this state folder ever made on this host.</summary>
internal sealed class Sweep(SandboxFolders folders, RecordStore<SandboxRecord> registry, Cgroups cgroups, SandboxHost host, TimeProvider time)
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
        SweepProbes();
        return new SweepReport(_destroyed, _stopped, _strays, _failures);
    }

    private async Task SweepOneAsync(SandboxName name, Func<SandboxInfo, bool> keep, CancellationToken cancellationToken)
    {
        using var held = await registry.LockAsync(name, cancellationToken);
        if (!Directory.Exists(folders.Of(name)))
        {
            return;
        }

        SandboxRecord? record;
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
        else if (record.Run is { } run && ProcessTable.IsAlive(run.Init))
        {
            if (run.Deadline <= time.GetUtcNow())
            {
                await host.StopAsync(name, TimeSpan.Zero, cancellationToken);
                _stopped.Add(name);
            }
        }
        else if (record.Ready && record.WasStarted)
        {
            // It ended by itself, or the host died while it started: what is around it goes, the layer stays.
            await host.StopAsync(name, TimeSpan.Zero, cancellationToken);
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
                    if (!Directory.Exists(folders.Of(name.Value)))
                    {
                        await new Ender(folders, time).EndProcessesAsync(marker, null, cancellationToken);
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
                    if (!Directory.Exists(folders.Of(name.Value)))
                    {
                        await new Ender(folders, time).RemoveCgroupsAsync([group], cancellationToken);
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

    private void SweepProbes()
    {
        if (!Directory.Exists(folders.Root))
        {
            return;
        }

        foreach (var folder in Directory.EnumerateDirectories(folders.Root, HostAbilities.ProbePrefix + "*"))
        {
            var owner = Path.GetFileName(folder).Split('-')[1];
            if (!int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || ProcessTable.Identify(id) is null)
            {
                Directory.Delete(folder, recursive: true);
                _strays.Add($"folder {folder}");
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
