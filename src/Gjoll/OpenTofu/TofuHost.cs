using System.Security.Cryptography;
using System.Text.Json;
using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;
using Gjoll.Wire;

namespace Gjoll.OpenTofu;

/// <summary>What sandbox handles and the provider share. Callers hold the lock of the name where they change something.</summary>
internal sealed class TofuHost(OpenTofuOptions options, TofuFolders folders, RecordStore<TofuRecord> registry, TimeProvider time) : ISweepable<TofuRecord>
{
    private const int EntropySize = 64;

    // Everything in the guest lies in one folder of its user, which nobody else there can enter.
    private const string Enter = "umask 077; mkdir -p \"$HOME/.gjoll\" && cd \"$HOME/.gjoll\"";

    private const string MakeWorkspace = "[ -w /work ] || mkdir /work 2>/dev/null || sudo -n install -d -o \"$(id -un)\" /work";

    private readonly NativePrograms _programs = new(options.NativeFolder);

    public TofuFolders Folders => folders;

    public RecordStore<TofuRecord> Registry => registry;

    public TimeProvider Time => time;

    public TofuRecord Demand(SandboxName name) => registry.Read(name) is { Ready: true } record ? record : throw new GjollException($"There is no sandbox {name}.");

    public SandboxInfo Describe(SandboxName name, TofuRecord record) => new()
    {
        Name = name,
        Provider = OpenTofuProvider.ProviderName,
        Labels = record.Spec.Labels,
        State = record.Run is not null ? SandboxState.Running : record.Outputs is not null ? SandboxState.Stopped : SandboxState.Created,
        Created = record.Created,
        Deadline = record.Run?.Deadline,
        GuestHome = record.Home ?? GuestPaths.Home,
        GuestWorkspace = GuestPaths.Workspace,
        EndpointFolder = folders.Endpoints(name),
        Image = record.Source,
    };

    public bool WasStarted(TofuRecord record) => record.Run is not null;

    public IReadOnlySet<string> BorrowedMarkers() => new HashSet<string>();

    Task ISweepable<TofuRecord>.StopAsync(SandboxName name, CancellationToken cancellationToken) => StopAsync(name, TimeSpan.Zero, null, cancellationToken);

    public async Task PrepareAsync(SandboxName name, string source, CancellationToken cancellationToken)
    {
        Directory.CreateDirectory(folders.Endpoints(name), Modes.Owner);
        if (!File.Exists(folders.SshKey(name)))
        {
            await HostProcess.RunAsync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", $"gjoll-{name}", "-f", folders.SshKey(name)], cancellationToken);
        }

        var tofu = new Tofu(options, folders, name);
        tofu.CopySource(source);
        tofu.WriteVariables(await File.ReadAllTextAsync(folders.SshKey(name) + ".pub", cancellationToken), isRunning: true);
        await tofu.InitAsync(cancellationToken);
    }

    public async Task StartAsync(SandboxName name, GuestChannel channel, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is not null)
        {
            await EnsureWardenHeldAsync(name, cancellationToken);
            return;
        }

        DemandSockets(name, record);
        var tofu = new Tofu(options, folders, name);
        tofu.WriteVariables(await File.ReadAllTextAsync(folders.SshKey(name) + ".pub", cancellationToken), isRunning: true);
        record = record with { Applied = true };
        registry.Write(name, record);
        await tofu.ApplyAsync(cancellationToken);
        record = record with { Outputs = await tofu.OutputsAsync(cancellationToken) };
        registry.Write(name, record);

        var door = new SshDoor(folders, name, record.Outputs);
        record = record with { Home = await ConnectAsync(door, cancellationToken) };
        await InstallAsync(name, door, record.Home!, cancellationToken);
        WriteLinkCommand(name, door);
        var warden = await StartWardenAsync(name, record, cancellationToken);
        registry.Write(name, record with { Run = new TofuRun { Deadline = time.GetUtcNow() + record.Spec.Limits.Lifetime, Warden = warden } });
        var linked = false;
        try
        {
            using var bounded = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bounded.Token);
            await channel.WaitForLinkAsync(either.Token);
            await RenewAsync(name, record, door, channel, either.Token);
            await door.DemandAsync("take the first key away", $"{Enter}; rm -f key", null, either.Token);
            linked = true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"The guest agent on {record.Outputs.PublicIp} did not answer within {options.ConnectTimeout}.", isTransient: true);
        }
        finally
        {
            if (!linked)
            {
                using var clean = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
                await WardenProcess.StopAsync(warden, time, clean.Token);
                registry.Write(name, record with { Run = null });
            }
        }
    }

    public async Task StopAsync(SandboxName name, TimeSpan grace, GuestChannel? channel, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is not { } run)
        {
            return;
        }

        var tofu = new Tofu(options, folders, name);
        if (!tofu.CanStop())
        {
            throw new GjollException($"The OpenTofu file of {name} declares no variable gjoll_instance_state, so that its machine cannot be stopped; it can be destroyed.");
        }

        if (grace > TimeSpan.Zero && channel is not null)
        {
            await AskToEndAsync(channel, grace, cancellationToken);
        }

        if (run.Warden is { } warden)
        {
            await WardenProcess.StopAsync(warden, time, cancellationToken);
        }

        tofu.WriteVariables(await File.ReadAllTextAsync(folders.SshKey(name) + ".pub", cancellationToken), isRunning: false);
        await tofu.ApplyAsync(cancellationToken);
        registry.Write(name, record with { Run = null });
    }

    public async Task RemoveAsync(SandboxName name, TofuRecord? record, CancellationToken cancellationToken)
    {
        if (record is not null)
        {
            registry.Write(name, record with { Ready = false, Removing = true });
            if (record.Run?.Warden is { } warden)
            {
                await WardenProcess.StopAsync(warden, time, cancellationToken);
            }

            if (record.Applied)
            {
                await new Tofu(options, folders, name).DestroyAsync(cancellationToken);
            }
        }

        await HostDisk.RemoveAsync(folders.Of(name), cancellationToken);
    }

    /// <summary>The control socket of a warden that lives.</summary>
    public async Task<string> EnsureWardenAsync(SandboxName name, CancellationToken cancellationToken)
    {
        // Outside of the lock first: whoever starts or stops it holds that, and talks to the guest meanwhile.
        if (Demand(name).Run is { Warden: { } present } && ProcessTable.IsAlive(present))
        {
            return folders.Control(name);
        }

        using var held = await registry.LockAsync(name, cancellationToken);
        return await EnsureWardenHeldAsync(name, cancellationToken);
    }

    public void RefreshForwards(SandboxName name)
    {
        var record = Demand(name);
        WriteForwards(name, record);
        if (record.Run?.Warden is { } warden)
        {
            WardenProcess.Refresh(warden);
        }
    }

    public Dictionary<string, string> EnvironmentOf(SandboxName name)
    {
        var record = registry.Read(name);
        return new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["HOME"] = record?.Home ?? GuestPaths.Home,
            ["USER"] = record?.Outputs?.SshUser ?? GuestPaths.UserName,
            ["PATH"] = "/usr/local/bin:/usr/bin:/bin",
            ["LANG"] = "C.UTF-8",
        };
    }

    private async Task<string> EnsureWardenHeldAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is not { } run)
        {
            throw new GjollException($"Sandbox {name} is not running.");
        }

        if (run.Warden is not { } warden || !ProcessTable.IsAlive(warden))
        {
            WriteLinkCommand(name, new SshDoor(folders, name, record.Outputs!));
            registry.Write(name, record with { Run = run with { Warden = await StartWardenAsync(name, record, cancellationToken) } });
        }

        return folders.Control(name);
    }

    /// <summary>Gives the home folder of the guest's user.</summary>
    private async Task<string> ConnectAsync(SshDoor door, CancellationToken cancellationToken)
    {
        var started = time.GetTimestamp();
        while (true)
        {
            var (code, output, error) = await door.RunAsync("printf '%s\\n' \"$(uname -m)\" \"$HOME\"", null, cancellationToken);
            if (code == 0 && output.Split('\n') is [var machine, ['/', ..] home, ..])
            {
                return machine == "x86_64" ? home : throw new GjollException($"The machine is {Printable.Of(machine)}; the guest agent is for x86_64.");
            }

            if (error.Contains("Host key verification failed", StringComparison.Ordinal) || error.Contains("REMOTE HOST IDENTIFICATION HAS CHANGED", StringComparison.Ordinal))
            {
                throw new GjollException("The machine shows another host key than the one that was recorded at the first contact: it is not the same machine, or somebody stands between.");
            }

            if (time.GetElapsedTime(started) > options.ConnectTimeout)
            {
                throw new GjollException($"The machine did not answer over SSH within {options.ConnectTimeout}: {error}", isTransient: true);
            }

            await Task.Delay(options.ConnectPoll, time, cancellationToken);
        }
    }

    private async Task InstallAsync(SandboxName name, SshDoor door, string home, CancellationToken cancellationToken)
    {
        await door.DemandAsync("make the workspace /work", MakeWorkspace, null, cancellationToken);
        await using (var program = File.OpenRead(_programs.Guest))
        {
            await door.DemandAsync("bring the guest agent", $"{Enter} && cat > gjoll-guest.new && chmod 700 gjoll-guest.new && mv -f gjoll-guest.new gjoll-guest", program, cancellationToken);
        }

        var key = WardenProcess.MakeKey(folders.Key(name));
        await door.DemandAsync("bring the key", $"{Enter} && cat > key", new MemoryStream(key), cancellationToken);
        // An agent that an earlier start left would answer with a key that nobody has any more.
        await door.DemandAsync(
            "start the guest agent",
            $"{Enter} && if [ -f pid ]; then kill \"$(cat pid)\" 2>/dev/null; fi; rm -f link.sock; cd /; "
            + $"setsid \"$HOME/.gjoll/gjoll-guest\" serve --connect \"{Socket(home)}\" --key \"$HOME/.gjoll/key\" </dev/null >\"$HOME/.gjoll/log\" 2>&1 & echo $! > \"$HOME/.gjoll/pid\"",
            null,
            cancellationToken);
    }

    private void WriteLinkCommand(SandboxName name, SshDoor door)
    {
        var command = door.CommandLine("exec \"$HOME/.gjoll/gjoll-guest\" relay \"$HOME/.gjoll/link.sock\"");
        var draft = folders.LinkCommand(name) + ".new";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes([.. command], ForwardFileJson.Default.StringArray));
        File.Move(draft, folders.LinkCommand(name), overwrite: true);
    }

    private static string Socket(string home) => $"{home}/.gjoll/link.sock";

    private Task<ProcessIdentity> StartWardenAsync(SandboxName name, TofuRecord record, CancellationToken cancellationToken)
    {
        WriteForwards(name, record);
        return WardenProcess.StartAsync(
            _programs.Warden,
            ["--control", folders.Control(name), "--key", folders.Key(name), "--forwards", folders.Forwards(name), "--link-command", folders.LinkCommand(name)],
            new Dictionary<string, string> { [Marking.Variable] = folders.Marker(name), ["LC_ALL"] = "C", ["HOME"] = "/nonexistent" },
            time,
            cancellationToken);
    }

    /// <summary>Listeners and a key that lies in no file of the guest. Name, id and clock are the machine's own, and it is asked for them: its agent takes no others.</summary>
    private async Task RenewAsync(SandboxName name, TofuRecord record, SshDoor door, GuestChannel channel, CancellationToken cancellationToken)
    {
        var said = (await door.DemandAsync(
            "ask who the machine is", "cat /proc/sys/kernel/hostname; echo \"$(cat /etc/machine-id 2>/dev/null)\"; date +%s", null, cancellationToken)).Split('\n');
        if (said is not [var hostname, var machineId, var seconds, ..]
            || !long.TryParse(seconds, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out var clock) || clock > uint.MaxValue)
        {
            throw new GjollException("The machine does not say who it is and what time it has.");
        }

        var next = WardenProcess.MakeKey(folders.Key(name) + ".next");
        await channel.RenewAsync(
            new RenewRequest
            {
                Time = clock * 1_000_000,
                Entropy = Convert.ToBase64String(RandomNumberGenerator.GetBytes(EntropySize)),
                Hostname = hostname.Trim(),
                MachineId = machineId.Trim(),
                Key = Convert.ToBase64String(next),
                Listeners = [.. AllForwards(record).Select(forward => new GuestListener(forward.GuestPort, forward.GuestPath))],
            },
            cancellationToken);
        File.Move(folders.Key(name) + ".next", folders.Key(name), overwrite: true);
    }

    private void WriteForwards(SandboxName name, TofuRecord record) =>
        WardenProcess.WriteForwards(folders.Forwards(name), [.. AllForwards(record).Select(forward => HostPath(name, forward))]);

    /// <summary>Those of the specification, and one for each proxy that the user's file names.</summary>
    private static IEnumerable<ForwardRecord> AllForwards(TofuRecord record) =>
        record.Spec.Forwards.Concat((record.Outputs?.Proxies ?? []).Select(proxy => new ForwardRecord(proxy.Port, null, $"{proxy.Name}.sock")));

    private string HostPath(SandboxName name, ForwardRecord forward) => Path.Combine(folders.Endpoints(name), forward.HostSocket);

    private void DemandSockets(SandboxName name, TofuRecord record)
    {
        if (record.Spec.Forwards.Select(forward => HostPath(name, forward)).FirstOrDefault(socket => !File.Exists(socket)) is { } missing)
        {
            throw new GjollException($"Sandbox {name} is to reach {missing}, but nothing is there: listen first, then start.", isTransient: true);
        }
    }

    private async Task AskToEndAsync(GuestChannel channel, TimeSpan grace, CancellationToken cancellationToken)
    {
        using var bounded = new CancellationTokenSource(grace + TimeSpan.FromSeconds(5), time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bounded.Token);
        try
        {
            await channel.ShutdownAsync(grace, either.Token);
        }
        catch (Exception silent) when (silent is GjollException or OperationCanceledException && !cancellationToken.IsCancellationRequested)
        {
            // It is stopped all the same, by its cloud.
        }
    }
}
