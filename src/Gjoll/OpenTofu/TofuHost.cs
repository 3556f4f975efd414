using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gjoll.Channel;
using Gjoll.Hosts;
using Gjoll.Records;
using Gjoll.Wire;

namespace Gjoll.OpenTofu;

/// <summary>What sandbox handles and the provider share. Callers hold the lock of the name where they change something.</summary>
internal sealed class TofuHost(OpenTofuOptions options, TofuFolders folders, RecordStore<TofuRecord> registry, TimeProvider time)
    : ISweepable<TofuRecord>, IAsyncDisposable
{
    private const int EntropySize = 64;

    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndPoll = TimeSpan.FromMilliseconds(20);

    private readonly GuestChannels _channels = new(time);
    private readonly NativePrograms _programs = new(options.NativeFolder);

    public RecordStore<TofuRecord> Registry => registry;

    public GuestChannel Channel(SandboxName name) => _channels.Of(name, name => new TofuMachine(name, this));

    public ValueTask DisposeAsync() => _channels.DisposeAsync();

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

    Task ISweepable<TofuRecord>.StopAsync(SandboxName name, CancellationToken cancellationToken) => StopAsync(name, TimeSpan.Zero, cancellationToken);

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

    public async Task StartAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is { IsUp: true } && await IsAgentAliveAsync(name, record, cancellationToken))
        {
            await EnsureWardenHeldAsync(name, cancellationToken);
            return;
        }

        DemandSockets(name, record);
        await EndWardenAsync(record, cancellationToken);
        await _channels.DisconnectAsync(name);
        var tofu = new Tofu(options, folders, name);
        tofu.WriteVariables(await File.ReadAllTextAsync(folders.SshKey(name) + ".pub", cancellationToken), isRunning: true);
        record = record with { Applied = true, Run = new TofuRun { Deadline = time.GetUtcNow() + record.Spec.Limits.Lifetime } };
        registry.Write(name, record);
        await tofu.ApplyAsync(cancellationToken);
        record = record with { Outputs = await tofu.OutputsAsync(cancellationToken) };
        registry.Write(name, record);

        var door = new SshDoor(folders, name, record.Outputs);
        record = record with { Home = await ConnectAsync(door, cancellationToken) };
        var machine = await InstallAsync(name, door, cancellationToken);
        var asked = time.GetTimestamp();
        WriteLinkCommand(name, door);
        registry.Write(name, record with { Run = record.Run! with { Warden = await StartWardenAsync(name, record, cancellationToken), IsUp = true } });
        var linked = false;
        try
        {
            using var bounded = new CancellationTokenSource(options.ConnectTimeout, time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bounded.Token);
            await Channel(name).WaitForLinkAsync(either.Token);
            await RenewAsync(name, record, machine with { Time = machine.Time + (long)time.GetElapsedTime(asked).TotalMicroseconds }, either.Token);
            linked = true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            throw new GjollException($"The guest agent on {record.Outputs!.PublicIp} did not answer within {options.ConnectTimeout}.", isTransient: true);
        }
        finally
        {
            if (!linked)
            {
                using var clean = new CancellationTokenSource(TimeSpan.FromSeconds(10), time);
                await EndWardenAsync(Demand(name), clean.Token);
                registry.Write(name, record);
            }
        }
    }

    public async Task StopAsync(SandboxName name, TimeSpan grace, CancellationToken cancellationToken)
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

        var isAsked = grace > TimeSpan.Zero && run.IsUp;
        if (isAsked)
        {
            // A warden that died is replaced while there may still be one.
            await EnsureWardenHeldAsync(name, cancellationToken);
            record = Demand(name);
        }

        registry.Write(name, record with { Run = record.Run! with { IsUp = false } });
        if (isAsked)
        {
            await AskToEndAsync(Channel(name), grace, cancellationToken);
        }

        await EndWardenAsync(record, cancellationToken);
        await _channels.DisconnectAsync(name);
        tofu.WriteVariables(await File.ReadAllTextAsync(folders.SshKey(name) + ".pub", cancellationToken), isRunning: false);
        await tofu.ApplyAsync(cancellationToken);
        registry.Write(name, record with { Run = null });
    }

    public async Task RemoveAsync(SandboxName name, TofuRecord? record, CancellationToken cancellationToken)
    {
        if (record is not null)
        {
            registry.Write(name, record with { Ready = false, Removing = true });
            await EndWardenAsync(record, cancellationToken);
            await _channels.DisconnectAsync(name);
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
        // Outside of the lock first: whoever starts or stops it holds that, and talks to the guest meanwhile. Clouds take minutes.
        var run = Demand(name).Run;
        if (run is { Warden: { } present } && ProcessTable.IsAlive(present))
        {
            return folders.Control(name);
        }

        if (run is not { IsUp: true })
        {
            throw NotRunning(name);
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

    private async Task<string> EnsureWardenHeldAsync(SandboxName name, CancellationToken cancellationToken)
    {
        var record = Demand(name);
        if (record.Run is not { IsUp: true } run)
        {
            throw NotRunning(name);
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
            var (code, output, error) = await door.RunAsync(RemoteScripts.Look, null, cancellationToken);
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

    /// <summary>Brings the agent with a first key and starts it. Gives what the machine says of itself then: its agent takes no other name, id or clock.</summary>
    private async Task<RenewRequest> InstallAsync(SandboxName name, SshDoor door, CancellationToken cancellationToken)
    {
        using var bundle = new MemoryStream();
        bundle.Write(Encoding.ASCII.GetBytes(Convert.ToBase64String(WardenProcess.MakeKey(folders.Key(name))) + "\n"));
        await using (var program = File.OpenRead(_programs.Guest))
        {
            await program.CopyToAsync(bundle, cancellationToken);
        }

        bundle.Position = 0;
        var said = (await door.DemandAsync("bring the guest agent", RemoteScripts.Install, bundle, cancellationToken)).Split('\n');
        if (said is not [var hostname, var machineId, var seconds, ..] || !uint.TryParse(seconds, NumberStyles.None, CultureInfo.InvariantCulture, out var clock))
        {
            throw new GjollException("The machine does not say who it is and what time it has.");
        }

        return new RenewRequest { Time = clock * 1_000_000L, Entropy = "", Hostname = hostname.Trim(), MachineId = machineId.Trim(), Listeners = [] };
    }

    /// <summary>It does not after the machine was started anew by somebody else, or after a program there killed it.</summary>
    /// <exception cref="GjollException">The machine does not answer.</exception>
    private async Task<bool> IsAgentAliveAsync(SandboxName name, TofuRecord record, CancellationToken cancellationToken)
    {
        var (code, _, error) = await new SshDoor(folders, name, record.Outputs!).RunAsync(RemoteScripts.IsAgentAlive, null, cancellationToken);
        return code != 255 ? code == 0 : throw new GjollException(
            $"The machine of {name} does not answer over SSH: {error} Stop the sandbox and start it, when the machine may have another address by now.", isTransient: true);
    }

    private static GjollException NotRunning(SandboxName name) => new($"Sandbox {name} is not running: start it.");

    private void WriteLinkCommand(SandboxName name, SshDoor door)
    {
        var draft = folders.LinkCommand(name) + ".new";
        File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes([.. door.CommandLine(RemoteScripts.Relay)], ForwardFileJson.Default.StringArray));
        File.Move(draft, folders.LinkCommand(name), overwrite: true);
    }

    private async Task EndWardenAsync(TofuRecord record, CancellationToken cancellationToken)
    {
        if (record.Run?.Warden is { } warden)
        {
            await WardenProcess.StopAsync(warden, time, cancellationToken);
        }
    }

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

    /// <summary>Listeners, and a key that lies in no file of the guest: the first one goes.</summary>
    private async Task RenewAsync(SandboxName name, TofuRecord record, RenewRequest machine, CancellationToken cancellationToken)
    {
        var next = WardenProcess.MakeKey(folders.Key(name) + ".next");
        try
        {
            await Channel(name).RenewAsync(
                machine with
                {
                    Entropy = Convert.ToBase64String(RandomNumberGenerator.GetBytes(EntropySize)),
                    Key = Convert.ToBase64String(next),
                    Listeners = [.. AllForwards(record).Select(forward => new GuestListener(forward.GuestPort, forward.GuestPath))],
                },
                cancellationToken);
        }
        catch (GjollException refused)
        {
            throw new GjollException(
                $"The opentofu provider listens in the guest as {record.Outputs!.SshUser}: name sockets and ports that this user may have, such as /run/user/UID/NAME. {refused.Message}",
                refused.IsTransient, refused);
        }

        File.Move(folders.Key(name) + ".next", folders.Key(name), overwrite: true);
        await using var removal = await Channel(name).ExecAsync(new ExecSpec { Command = ["rm", "-f", "--", $"{record.Home}/.gjoll/key"], WorkingFolder = "/" }, cancellationToken);
        if (await removal.WaitAsync(cancellationToken) is { Succeeded: false } failed)
        {
            throw new GjollException($"Could not take the first key away: code {failed.Code}.");
        }
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
        // The guest may never answer, or answer and go on: what it is given is time, not trust.
        using var bounded = new CancellationTokenSource(grace + EndPatience, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, bounded.Token);
        try
        {
            await channel.ShutdownAsync(grace, either.Token);
            while ((await channel.StateAsync(either.Token)).IsLinked)
            {
                await Task.Delay(EndPoll, time, either.Token);
            }
        }
        catch (Exception silent) when (silent is GjollException || (silent is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            // It is stopped all the same, by its cloud.
        }
    }
}
