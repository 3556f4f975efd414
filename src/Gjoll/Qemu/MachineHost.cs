using System.Security.Cryptography;
using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;
using Gjoll.Wire;

namespace Gjoll.Qemu;

/// <summary>What machine handles and the provider share: everything that changes a machine. Callers hold the lock of its name.</summary>
internal sealed class MachineHost(
    QemuOptions options,
    MachineFolders folders,
    RecordStore<MachineRecord> registry,
    Cgroups cgroups,
    BootImages images,
    Templates templates,
    NativePrograms programs,
    TimeProvider time)
    : ISweepable<MachineRecord>, IAsyncDisposable
{
    public const string StateFile = "state";
    public const string MemoryCopy = "memory";

    private const int TcgPatience = 8;

    // What QEMU takes besides the guest's memory: translated code under TCG, tables, buffers.
    private const long Overhead = 1L << 30;
    private const int Threads = 256;

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan EndPoll = TimeSpan.FromMilliseconds(5);
    private static readonly TimeSpan MonitorPatience = TimeSpan.FromSeconds(60);

    // Under the machine's lock, for which commands wait.
    private static readonly TimeSpan GoOnPatience = TimeSpan.FromSeconds(3);

    private readonly MachineLauncher _launcher = new(options, time);
    private readonly Ender _ender = new(time);
    private readonly GuestChannels _channels = new(time);

    public MachineFolders Folders => folders;

    public RecordStore<MachineRecord> Registry => registry;

    public TimeProvider Time => time;

    public GuestChannel Channel(SandboxName name) => _channels.Of(name, name => new RunningMachine(name, this));

    public Task DisconnectAsync(SandboxName name) => _channels.DisconnectAsync(name);

    public ValueTask DisposeAsync() => _channels.DisposeAsync();

    /// <exception cref="GjollException">Less than the reserve is free.</exception>
    public void CheckReserve(string attempt) => HostDisk.CheckReserve(folders.Root, options.DiskReserveBytes, attempt);

    public static bool IsRunning(MachineRecord record) => record.Run is { } run && ProcessTable.IsStaying(run.Qemu);

    public MachineRecord Demand(SandboxName name) =>
        registry.Read(name) is { Ready: true } record ? record : throw new GjollException($"There is no sandbox {name}.");

    public SandboxInfo Describe(SandboxName name, MachineRecord record)
    {
        var running = IsRunning(record);
        return new SandboxInfo
        {
            Name = name,
            Provider = QemuProvider.ProviderName,
            Labels = record.Spec.Labels,
            State = running ? SandboxState.Running : record.WasStarted ? SandboxState.Stopped : SandboxState.Created,
            Created = record.Created,
            Deadline = running ? record.Run!.Deadline : null,
            GuestHome = GuestPaths.Home,
            GuestWorkspace = GuestPaths.Workspace,
            EndpointFolder = folders.Endpoints(name),
            Image = record.Image,
            WasWarm = record.WasWarm,
        };
    }

    /// <summary>Starts it and returns when its guest has proved the key and taken its identity. Running already is success.</summary>
    public async Task StartAsync(SandboxName name, Accelerator accelerator, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        CheckReserve("start a machine");
        if (IsRunning(record) && record.Run!.IsUp)
        {
            return;
        }

        // A fork's endpoints exist only with it: whoever made it opens its doors next, and until then a connection through them is refused.
        if (record.Next != Beginning.State || record.WasStarted)
        {
            DemandSockets(name, record);
        }

        if (record.Next != Beginning.Ready || !IsRunning(record))
        {
            record = await ClearAsync(name, record, cancellationToken);
        }

        var started = false;
        using var bounded = new CancellationTokenSource(accelerator == Accelerator.Tcg ? options.BootTimeout * TcgPatience : options.BootTimeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            await BringUpAsync(name, record, accelerator, either.Token);
            started = true;
        }
        catch (OperationCanceledException) when (bounded.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"The guest of sandbox {name} did not answer in time. Its console: {await LastWordsAsync(name)}", isTransient: true);
        }
        finally
        {
            if (!started)
            {
                using var clean = new CancellationTokenSource(EndPatience, time);
                await DisconnectAsync(name);
                await EndAllAsync(name, registry.Read(name), clean.Token);
            }
        }
    }

    public bool WasStarted(MachineRecord record) => record is { Ready: true, WasStarted: true };

    public IReadOnlySet<string> BorrowedMarkers() => registry.Names().Select(name => registry.Read(name)?.Marker).OfType<string>().ToHashSet(StringComparer.Ordinal);

    public Task StopAsync(SandboxName name, CancellationToken cancellationToken) => StopAsync(name, TimeSpan.Zero, cancellationToken);

    /// <summary>
    /// The grace is for the guest's programs. Its kernel is always asked to bring its disk in order first, for a bounded time: to end QEMU is to pull
    /// the plug, and what is kept would not be what was written.
    /// </summary>
    public async Task StopAsync(SandboxName name, TimeSpan grace, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (IsRunning(record))
        {
            // For whoever asks afterwards what it said.
            await LastWordsAsync(name);
        }

        if (IsRunning(record) && record.Run!.Warden is { } warden && ProcessTable.IsAlive(warden))
        {
            await AskToEndAsync(record, grace, Channel(name), cancellationToken);
        }

        await DisconnectAsync(name);
        await EndAllAsync(name, record, cancellationToken);
        if (record.Run is not null)
        {
            registry.Write(name, record with { Run = null, Cgroups = [] });
        }
    }

    /// <summary>Everything but the record first, so that what is left after a crash still has one.</summary>
    public async Task RemoveAsync(SandboxName name, MachineRecord? record, CancellationToken cancellationToken)
    {
        if (record is { Removing: false })
        {
            record = record with { Ready = false, Removing = true };
            registry.Write(name, record);
        }

        await DisconnectAsync(name);
        await EndAllAsync(name, record, cancellationToken);
        if (!Directory.Exists(folders.Of(name)))
        {
            return;
        }

        foreach (var part in Directory.EnumerateFileSystemEntries(folders.Of(name)).Where(part => part != folders.Record(name)))
        {
            await HostDisk.RemoveAsync(part, cancellationToken);
        }

        await HostDisk.RemoveAsync(folders.Of(name), cancellationToken);
    }

    /// <summary>A conversation with its QEMU. Stopped is a <see cref="GjollException"/>.</summary>
    public async Task<Monitor> MonitorAsync(SandboxName name, CancellationToken cancellationToken) =>
        IsRunning(Demand(name))
            ? await Monitor.ConnectAsync(folders.Machine(name), cancellationToken)
            : throw new GjollException($"Sandbox {name} is not running.");

    /// <summary>The warden's socket; a dead warden is replaced. Takes the lock of the name itself.</summary>
    public async Task<string> EnsureWardenAsync(SandboxName name, CancellationToken cancellationToken)
    {
        if (registry.Read(name) is { Run: { Warden: { } alive } } && ProcessTable.IsAlive(alive))
        {
            return WardenSocket(name);
        }

        using var held = await registry.LockAsync(name, cancellationToken);
        var record = Demand(name);
        if (!IsRunning(record))
        {
            throw new GjollException($"Sandbox {name} is not running.");
        }

        if (record.Run!.Warden is not { } warden || !ProcessTable.IsAlive(warden))
        {
            await StartWardenAsync(name, record, cancellationToken);
        }

        return WardenSocket(name);
    }

    /// <summary>Lets the warden look at the table of forwards again.</summary>
    public void RefreshForwards(SandboxName name, MachineRecord record)
    {
        WriteForwards(name, record);
        if (record.Run?.Warden is { } warden)
        {
            WardenProcess.Refresh(warden);
        }
    }

    /// <summary>Saves memory and devices of a running machine and copies its disk; the machine stands still meanwhile and then goes on.</summary>
    public async Task FreezeAsync(SandboxName name, MachineRecord record, Func<Monitor, CancellationToken, Task> copy, CancellationToken cancellationToken)
    {
        CheckReserve("save a machine");
        await using var monitor = await MonitorAsync(name, cancellationToken);
        await monitor.RunAsync("stop", cancellationToken);
        try
        {
            await copy(monitor, cancellationToken);
        }
        finally
        {
            // A machine must not stay frozen because its copy failed.
            using var bounded = new CancellationTokenSource(MonitorPatience, time);
            await monitor.RunAsync("cont", bounded.Token);
        }
    }

    /// <summary>
    /// Lets a machine go on that stands still because a write to its disk found no room. Anything else it may be doing is left alone. False when its QEMU
    /// did not answer.
    /// </summary>
    public async Task<bool> GoOnAsync(SandboxName name, CancellationToken cancellationToken)
    {
        // It may have been removed since it was seen.
        if (registry.Read(name) is not { Ready: true } record || !IsRunning(record))
        {
            return true;
        }

        using var bounded = new CancellationTokenSource(GoOnPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            await using var monitor = await MonitorAsync(name, either.Token);
            using var answer = await monitor.AskAsync("query-status", null, either.Token);
            if (answer.RootElement.GetProperty("return").GetProperty("status").GetString() == "io-error")
            {
                await monitor.RunAsync("cont", either.Token);
            }

            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    public Task SaveStateAsync(Monitor monitor, SandboxName name, MachineRecord record, string file, CancellationToken cancellationToken) =>
        MachineState.SaveAsync(
            monitor, folders.Machine(name), record.DropUser ? record.UserId : null, record.SharedMemory, file,
            record.Spec.Limits.MemoryBytes + Overhead, time, cancellationToken);

    /// <summary>What the guest has written on its console, the last part of it.</summary>
    public async Task<string> ConsoleAsync(SandboxName name, CancellationToken cancellationToken)
    {
        // Reading empties QEMU's buffer: what was read is kept beside it, as bounded as that, and outlives the machine.
        var file = Path.Combine(folders.Of(name), "console.log");
        var kept = File.Exists(file) ? await File.ReadAllTextAsync(file, cancellationToken) : "";
        if (!IsRunning(Demand(name)))
        {
            return kept;
        }

        await using var monitor = await MonitorAsync(name, cancellationToken);
        using var answer = await monitor.AskAsync(
            "ringbuf-read",
            json =>
            {
                json.WriteString("device", "console");
                json.WriteNumber("size", MachineArguments.ConsoleBytes);
            },
            cancellationToken);
        var text = answer.RootElement.GetProperty("return").GetString() ?? "";
        var whole = kept + text;
        whole = whole.Length > MachineArguments.ConsoleBytes ? whole[^MachineArguments.ConsoleBytes..] : whole;
        await File.WriteAllTextAsync(file, whole, cancellationToken);
        return whole;
    }

    public async Task EndAllAsync(SandboxName name, MachineRecord? record, CancellationToken cancellationToken)
    {
        if (record is null or { WasStarted: true })
        {
            await _ender.EndProcessesAsync(folders.Marker(name), null, cancellationToken);
            if (record?.Marker is { } borrowed)
            {
                await _ender.EndProcessesAsync(borrowed, null, cancellationToken);
            }
        }

        await _ender.RemoveCgroupsAsync(record?.Cgroups ?? [], cancellationToken);
    }

    /// <summary>
    /// Ends what an earlier start left. A guest that ran on from a saved state has changed its disk since: the state does not fit it any more. A clone's disk
    /// is made anew, any other machine boots.
    /// </summary>
    private async Task<MachineRecord> ClearAsync(SandboxName name, MachineRecord record, CancellationToken cancellationToken)
    {
        await EndAllAsync(name, record, cancellationToken);
        if (record.Next == Beginning.Template)
        {
            await MakeDiskAsync(name, record, null, cancellationToken);
        }

        record = record with
        {
            WasStarted = true,
            Next = record.Next == Beginning.Ready || (record is { Next: Beginning.State, Run: not null }) ? Beginning.Boot : record.Next,
            Run = null,
            Marker = null,
            Cgroups = cgroups.Plan(folders.Marker(name)),
        };
        registry.Write(name, record);
        return record;
    }

    /// <summary>An empty layer over the image's disk or the template's.</summary>
    /// <param name="name">The sandbox.</param>
    /// <param name="record">Its record.</param>
    /// <param name="image">Its image; null when it starts from a template.</param>
    /// <param name="cancellationToken">Leaves a layer that the same call makes anew.</param>
    public async Task MakeDiskAsync(SandboxName name, MachineRecord record, BootImage? image, CancellationToken cancellationToken)
    {
        var disk = Path.Combine(folders.Machine(name), MachineFolder.Disk);
        var template = record.Template is { } id ? templates.Read(id) ?? throw new GjollException($"Template {id} of sandbox {name} is gone.") : null;
        await Disks.MakeLayerAsync(
            disk, template is null ? JailPaths.BaseDisk : JailPaths.TemplateDisk, belowIsRaw: template is null,
            template?.DiskBytes ?? Math.Max(new FileInfo(Path.Combine(image!.Folder, image.Disk)).Length, record.Spec.Limits.DiskBytes), cancellationToken);
        Give(record, disk);
    }

    private async Task BringUpAsync(SandboxName name, MachineRecord record, Accelerator accelerator, CancellationToken cancellationToken)
    {
        record = record.Next == Beginning.Ready ? await TakeOverAsync(name, record, cancellationToken) : await LaunchAsync(name, record, accelerator, cancellationToken);
        record = await StartWardenAsync(name, record, cancellationToken);
        var channel = Channel(name);
        await channel.WaitForLinkAsync(cancellationToken);
        await RenewAsync(name, record, channel, cancellationToken);
        await MountFoldersAsync(record, channel, cancellationToken);
        if (record.Next == Beginning.State)
        {
            await HostDisk.RemoveAsync(folders.State(name), cancellationToken);
        }

        registry.Write(name, record with { Next = Beginning.Boot, WasWarm = record.Next != Beginning.Boot, Run = record.Run! with { IsUp = true } });
    }

    /// <summary>A machine of the pool: its guest runs, knows the pool's key, and has nobody's identity.</summary>
    private async Task<MachineRecord> TakeOverAsync(SandboxName name, MachineRecord record, CancellationToken cancellationToken)
    {
        WardenProcess.MakeKey(KeyFile(name) + ".next");
        WriteForwards(name, record);
        await using var monitor = await MonitorAsync(name, cancellationToken);
        await GrowAsync(monitor, record, cancellationToken);
        return record;
    }

    private async Task<MachineRecord> LaunchAsync(SandboxName name, MachineRecord record, Accelerator accelerator, CancellationToken cancellationToken)
    {
        var image = await images.OpenAsync(record.Image, cancellationToken);
        cgroups.Make(folders.Marker(name), record.Spec.Limits with { MemoryBytes = record.Spec.Limits.MemoryBytes + Overhead, MaxProcesses = Threads });
        var source = await SourceAsync(name, record, accelerator, image, cancellationToken);
        PrepareKeys(name, record, source.Key);
        WriteForwards(name, record);
        await using var monitor = await _launcher.StartAsync(
            Parts(name, record, image, source.TemplateMemory),
            source.Plan,
            qemu =>
            {
                record = record with { Run = new MachineRun { Qemu = qemu, Accelerator = accelerator, Deadline = time.GetUtcNow() + record.Spec.Limits.Lifetime } };
                registry.Write(name, record);
            },
            cancellationToken);
        if (source.State is { } state)
        {
            await MachineState.LoadAsync(monitor, folders.Machine(name), memoryIsShared: source.Plan.Memory is not null, state, time, cancellationToken);
            await monitor.RunAsync("cont", cancellationToken);
            await GrowAsync(monitor, record, cancellationToken);
        }

        return record;
    }

    private sealed record Source(MachinePlan Plan, string? State, string? TemplateMemory, string? Key);

    private async Task<Source> SourceAsync(SandboxName name, MachineRecord record, Accelerator accelerator, BootImage image, CancellationToken cancellationToken)
    {
        var plan = PlanOf(name.Value, record.Spec.Limits, record.FolderDisks.Count, accelerator, image);
        switch (record.Next)
        {
            case Beginning.Template:
                var id = record.Template!;
                using (await templates.LockAsync(id, cancellationToken))
                {
                    var template = templates.Read(id) ?? throw new GjollException($"Template {id} of sandbox {name} is gone.");
                    if (template.Shape != plan.Shape || template.Image != image.Digest)
                    {
                        throw new GjollException($"Template {id} is of another machine than sandbox {name}.");
                    }

                    var folder = folders.Template(id);
                    if (record.SharedMemory)
                    {
                        await Disks.CopyAsync(Path.Combine(folder, MachineFolder.Memory), Path.Combine(folders.Machine(name), MachineFolder.Memory), cancellationToken);
                        Give(record, Path.Combine(folders.Machine(name), MachineFolder.Memory));
                    }

                    return new Source(
                        plan with { IsIncoming = true, Memory = record.SharedMemory ? new MemoryFile(JailPaths.Memory, IsShared: true) : new MemoryFile(JailPaths.TemplateMemory, IsShared: false) },
                        Path.Combine(folder, Templates.StateFile),
                        record.SharedMemory ? null : await templates.MemoryAsync(id, template, cancellationToken),
                        Path.Combine(folder, MachineFolder.KeyFile));
                }

            case Beginning.State:
                if (record.SharedMemory)
                {
                    File.Move(Path.Combine(folders.State(name), MemoryCopy), Path.Combine(folders.Machine(name), MachineFolder.Memory), overwrite: true);
                    Give(record, Path.Combine(folders.Machine(name), MachineFolder.Memory));
                }

                return new Source(
                    plan with { IsIncoming = true, Memory = record.SharedMemory ? new MemoryFile(JailPaths.Memory, IsShared: true) : null },
                    Path.Combine(folders.State(name), StateFile), null, null);

            default:
                File.Delete(Path.Combine(folders.Machine(name), MachineFolder.Memory));
                return new Source(plan with { Memory = record.SharedMemory ? new MemoryFile(JailPaths.Memory, IsShared: true) : null }, null, null, null);
        }
    }

    public static MachinePlan PlanOf(string name, SandboxLimits limits, int readOnlyDisks, Accelerator accelerator, BootImage image) => new()
    {
        Name = name,
        Accelerator = accelerator,
        Cpus = Math.Clamp((int)Math.Ceiling(limits.Cpus), 1, 64),
        MemoryBytes = limits.MemoryBytes,
        KernelArguments = image.KernelArguments,
        ReadOnlyDisks = readOnlyDisks,
    };

    private MachineParts Parts(SandboxName name, MachineRecord record, BootImage image, string? templateMemory) => new()
    {
        Marker = folders.Marker(name),
        Cgroups = record.Cgroups,
        UserId = record.UserId,
        DropUser = record.DropUser,
        Own = folders.Machine(name),
        ArgumentsFile = folders.Arguments(name),
        Stage = folders.Stage(name),
        Image = image,
        Template = record.Template is { } id ? folders.Template(id) : null,
        TemplateMemory = templateMemory,
        ReadOnlyDisks = [.. record.FolderDisks.Select(disk => Path.Combine(folders.FolderDisks, disk))],
    };

    /// <summary>The key that the guest knows when it wakes, and the one that it is to know after its renewal.</summary>
    private void PrepareKeys(SandboxName name, MachineRecord record, string? inherited)
    {
        Directory.CreateDirectory(folders.Warden(name), Modes.Owner);
        var key = KeyFile(name);
        if (inherited is not null)
        {
            File.Copy(inherited, key, overwrite: true);
            File.SetUnixFileMode(key, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        }
        else if (record.Next == Beginning.Boot)
        {
            WardenProcess.MakeKey(key);
        }

        WardenProcess.MakeKey(key + ".next");
        var forQemu = Path.Combine(folders.Machine(name), MachineFolder.KeyFile);
        File.Delete(forQemu);
        File.Copy(key, forQemu);
        Give(record, forQemu);
    }

    private async Task RenewAsync(SandboxName name, MachineRecord record, GuestChannel channel, CancellationToken cancellationToken)
    {
        var key = KeyFile(name);
        await channel.RenewAsync(
            new RenewRequest
            {
                Time = time.GetUtcNow().ToUnixTimeMilliseconds() * 1000,
                Entropy = Convert.ToBase64String(RandomNumberGenerator.GetBytes(64)),
                Hostname = record.Spec.Hostname,
                MachineId = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16)),
                Key = Convert.ToBase64String(await File.ReadAllBytesAsync(key + ".next", cancellationToken)),
                Listeners = [.. record.Spec.Forwards.Select(forward => new GuestListener(forward.GuestPort, forward.GuestPath))],
                GrowDisk = record.Next != Beginning.State,
            },
            cancellationToken);
        File.Move(key + ".next", key, overwrite: true);
    }

    /// <summary>A template's disk is as small as its image's; a clone's may be larger, which the running guest is told. It never becomes smaller.</summary>
    private async Task GrowAsync(Monitor monitor, MachineRecord record, CancellationToken cancellationToken)
    {
        if (record is { Next: Beginning.Template or Beginning.Ready, Template: { } id } && templates.Read(id)?.DiskBytes < record.Spec.Limits.DiskBytes)
        {
            await monitor.RunAsync(
                "block_resize",
                json =>
                {
                    json.WriteString("node-name", "disk0");
                    json.WriteNumber("size", record.Spec.Limits.DiskBytes);
                },
                cancellationToken);
        }
    }

    // The second disk is the first folder: the kernel names them in the order of the devices.
    private static async Task MountFoldersAsync(MachineRecord record, GuestChannel channel, CancellationToken cancellationToken)
    {
        if (record.Next == Beginning.State)
        {
            return;
        }

        for (var index = 0; index < record.Spec.ReadOnlyFolders.Count; index++)
        {
            var place = record.Spec.ReadOnlyFolders[index].GuestPath;
            var device = $"/dev/vd{(char)('b' + index)}";
            await using var mount = await channel.ExecAsync(
                new ExecSpec { Command = ["/bin/sh", "-c", "mkdir -p -- \"$2\" && exec mount -o ro,nosuid,nodev -t ext4 -- \"$1\" \"$2\"", "gjoll", device, place], AsRoot = true, WorkingFolder = "/" },
                cancellationToken);
            var exit = await mount.WaitAsync(cancellationToken);
            if (!exit.Succeeded)
            {
                throw new GjollException($"The guest could not mount the folder {place}: code {exit.Code}.");
            }
        }
    }

    private async Task<MachineRecord> StartWardenAsync(SandboxName name, MachineRecord record, CancellationToken cancellationToken)
    {
        var warden = await WardenProcess.StartAsync(
            programs.Warden,
            [
                "--control", WardenSocket(name), "--key", KeyFile(name), "--forwards", ForwardsFile(name),
                "--link-connect", Path.Combine(folders.Machine(name), MachineFolder.LinkSocket),
            ],
            new Dictionary<string, string> { [Marking.Variable] = folders.Marker(name) },
            time,
            cancellationToken);
        record = record with { Run = record.Run! with { Warden = warden } };
        registry.Write(name, record);
        return record;
    }

    private async Task AskToEndAsync(MachineRecord record, TimeSpan grace, GuestChannel channel, CancellationToken cancellationToken)
    {
        // The guest may never answer, or answer and go on: what it is given is time, not trust.
        using var bounded = new CancellationTokenSource(grace + EndPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            await channel.ShutdownAsync(grace, either.Token);
            while (ProcessTable.IsAlive(record.Run!.Qemu))
            {
                await Task.Delay(EndPoll, time, either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // It had its time.
        }
        catch (GjollException)
        {
            // It cannot be asked: it is ended.
        }
    }

    private async Task<string> LastWordsAsync(SandboxName name)
    {
        using var bounded = new CancellationTokenSource(TimeSpan.FromSeconds(2), time);
        try
        {
            var words = await ConsoleAsync(name, bounded.Token);
            return words.Length == 0 ? "nothing" : Printable.Of(words.Length > 300 ? words[^300..] : words);
        }
        catch (Exception silent) when (silent is GjollException or OperationCanceledException)
        {
            return "out of reach";
        }
    }

    private void DemandSockets(SandboxName name, MachineRecord record)
    {
        foreach (var forward in record.Spec.Forwards)
        {
            var socket = Path.Combine(folders.Endpoints(name), forward.HostSocket);
            if (!Path.Exists(socket))
            {
                throw new GjollException($"Nobody listens on {socket} yet, where a forward of sandbox {name} leads.", isTransient: true);
            }
        }
    }

    private void WriteForwards(SandboxName name, MachineRecord record) =>
        WardenProcess.WriteForwards(ForwardsFile(name), [.. record.Spec.Forwards.Select(forward => Path.Combine(folders.Endpoints(name), forward.HostSocket))]);

    private static void Give(MachineRecord record, string path)
    {
        if (record.DropUser)
        {
            Native.ChangeOwner(path, record.UserId, record.UserId);
        }
    }

    public string KeyFile(SandboxName name) => Path.Combine(folders.Warden(name), "key");

    private string ForwardsFile(SandboxName name) => Path.Combine(folders.Warden(name), "forwards.json");

    private string WardenSocket(SandboxName name) => Path.Combine(folders.Warden(name), "control.sock");
}
