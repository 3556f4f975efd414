using Gjoll.Hosts;
using Gjoll.Records;
using Microsoft.Extensions.Logging;

namespace Gjoll.Qemu;

public sealed partial class QemuProvider
{
    private readonly CancellationTokenSource _end = new();
    private readonly Task _watch;

    /// <summary>Null until the first look.</summary>
    private bool? _isShort;

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watch;
        await _host.DisposeAsync();
        _end.Dispose();
    }

    public async Task<SweepReport> SweepAsync(Func<SandboxInfo, bool> keep, CancellationToken cancellationToken)
    {
        // What this process makes for itself has no owner who could ask for it to be kept.
        var report = await new Sweep<MachineRecord>(_folders, _registry, _cgroups, _host, _time)
            .RunAsync(info => keep(info) || _maker.IsMaking(info.Name) || _pool.Owns(info.Name), cancellationToken);
        List<string> strays = [.. report.Strays];
        List<string> failures = [.. report.Failures];
        try
        {
            strays.AddRange(await SweepTemplatesAsync(cancellationToken));
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            failures.Add($"templates: {failure.Message}");
        }

        return report with { Strays = strays, Failures = failures };
    }

    /// <summary>Half-made templates, those whose image is gone, memory that no running machine uses, and disks of folders that no record names.</summary>
    private async Task<IReadOnlyList<string>> SweepTemplatesAsync(CancellationToken cancellationToken)
    {
        List<string> strays = [];
        var prefix = _folders.TemplateMarkerPrefix;
        var held = Marking.Marked().Where(marked => marked.Marker.StartsWith(prefix, StringComparison.Ordinal)).Select(marked => marked.Marker[prefix.Length..]).Distinct();
        foreach (var id in held.ToList())
        {
            using var locked = await _templates.LockAsync(id, cancellationToken);
            var used = _registry.Names().Select(name => _registry.Read(name)).Any(record => record?.Template == id && (MachineHost.IsRunning(record) || record.Next == Beginning.Template));
            if (!used)
            {
                await new Ender(_time).EndProcessesAsync(_folders.TemplateMarker(id), null, cancellationToken);
                strays.Add($"memory of template {id}, which no machine uses");
            }
        }

        foreach (var id in _templates.Ids())
        {
            using var locked = await _templates.LockAsync(id, cancellationToken);
            if (_templates.Read(id) is { } template && !_images.Has(template.Image) && !_registry.Names().Any(name => _registry.Read(name)?.Template == id))
            {
                await _templates.RemoveAsync(id, _time, cancellationToken);
                strays.Add($"template {id}, whose image is gone");
            }
        }

        foreach (var disk in _folderDisks.Unused(_registry.Names().SelectMany(name => _registry.Read(name)?.FolderDisks ?? []), _time.GetUtcNow()))
        {
            File.Delete(disk);
            strays.Add($"disk {disk}, which no machine has");
        }

        if (Directory.Exists(_folders.Templates))
        {
            foreach (var draft in Directory.EnumerateDirectories(_folders.Templates, "*" + MachineFolders.NewSuffix).ToList())
            {
                using var locked = await _templates.LockAsync(Path.GetFileName(draft)[..^MachineFolders.NewSuffix.Length], cancellationToken);
                await HostDisk.RemoveAsync(draft, cancellationToken);
                strays.Add($"folder {draft}, a template that was not finished");
            }
        }

        return strays;
    }

    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(_options.WatchInterval, _time);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                var hasRoomAgain = HasRoomAgain();
                foreach (var name in _registry.Names())
                {
                    await LookAsync(name, hasRoomAgain, _end.Token);
                }

                await FillPoolAsync(_end.Token);
            }
        }
        catch (OperationCanceledException) when (_end.IsCancellationRequested)
        {
            // Disposed.
        }
    }

    private async Task FillPoolAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _pool.FillAsync(cancellationToken);
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            LogPoolFailed(failure.Message);
        }
    }

    /// <summary>
    /// A machine whose write found no room is made to stand still by QEMU, and loses nothing. True when there may be such and there is room again, also for
    /// those that an earlier process has left.
    /// </summary>
    private bool HasRoomAgain()
    {
        if (!Directory.Exists(_folders.Root))
        {
            return false;
        }

        var wasShort = _isShort;
        var isShort = new DriveInfo(_folders.Root).AvailableFreeSpace < _options.DiskReserveBytes;
        _isShort = isShort;
        if (isShort && wasShort != true)
        {
            LogShort(_folders.Root, _options.DiskReserveBytes >> 20);
        }

        return !isShort && wasShort != false;
    }

    /// <summary>Stops what is past its deadline, and lets go on what stood still for want of room. One failure does not end the watch.</summary>
    private async Task LookAsync(SandboxName name, bool hasRoomAgain, CancellationToken cancellationToken)
    {
        try
        {
            if (_registry.Read(name) is not { Ready: true, Run: { } run } record || !MachineHost.IsRunning(record))
            {
                return;
            }

            if (run.Deadline > _time.GetUtcNow())
            {
                if (hasRoomAgain)
                {
                    using var alone = await _registry.LockAsync(name, cancellationToken);
                    if (!await _host.GoOnAsync(name, cancellationToken))
                    {
                        LogSilent(name);
                    }
                }

                return;
            }

            LogDeadline(name);
            using var held = await _registry.LockAsync(name, cancellationToken);
            // What was seen before the lock was held may be another start by now.
            if (_registry.Read(name)?.Run?.Qemu == run.Qemu)
            {
                await _host.StopAsync(name, cancellationToken);
            }
        }
        catch (Exception failure) when (failure is GjollException or IOException)
        {
            LogLookFailed(name, failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Sandbox {Name} has reached its lifetime and is stopped")]
    private partial void LogDeadline(SandboxName name);

    [LoggerMessage(LogLevel.Warning, "Less than {Reserve} MiB are free at {Folder}: machines that find no room stand still until there is some")]
    private partial void LogShort(string folder, long reserve);

    [LoggerMessage(LogLevel.Warning, "The warm pool could not be filled: {Reason}")]
    private partial void LogPoolFailed(string reason);

    // Who works with it hears of it anyway; to anybody else it is no news.
    [LoggerMessage(LogLevel.Information, "QEMU of sandbox {Name} does not answer")]
    private partial void LogSilent(SandboxName name);

    [LoggerMessage(LogLevel.Warning, "Sandbox {Name} could not be looked at: {Reason}")]
    private partial void LogLookFailed(SandboxName name, string reason);
}
