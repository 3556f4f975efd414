using Gjoll.Hosts;

namespace Gjoll.Safety;

/// <summary>Section R: it may use up what it was given, and no more; and it ends when it is told to.</summary>
internal static class ResourceCases
{
    private const long Slack = 96L << 20;

    /// <summary>What stands on the host's side of the wall besides the guest's own memory: QEMU's tables and translated code, the warden.</summary>
    private const long Overhead = 1536L << 20;

    private static readonly TimeSpan Burn = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan EndPatience = TimeSpan.FromSeconds(45);
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(50);

    public static IReadOnlyList<HostileCase> All { get; } =
    [
        new() { Id = "R1", Attack = "starts processes without end", RunAsync = ForkBombAsync },
        new() { Id = "R2", Attack = "allocates more memory than it was given", Declared = "Memory is not limited", RunAsync = MemoryAsync },
        new() { Id = "R3", Attack = "fills its disk, with data, sparse files and inodes", Declared = "The disk is measured", RunAsync = DiskAsync },
        new() { Id = "R4", Attack = "floods its console, its kernel log and outputs that nobody reads", RunAsync = FloodAsync },
        new() { Id = "R5", Attack = "computes for ever", RunAsync = LifetimeAsync },
        new() { Id = "R6", Attack = "ignores SIGTERM and stops or kills what it finds of the guest agent", RunAsync = StubbornAsync },
        new() { Id = "R6 crash", Attack = "crashes its kernel, or turns its machine off", RunAsync = CrashAsync },
    ];

    private static async Task<string?> ForkBombAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var sandbox = await ground.StartedAsync(ground.Spec(), cancellationToken);
        var before = ProcessTable.All().Count();
        await using var bomb = await sandbox.ExecAsync(ground.Script("b() { b | b & }; while :; do b; sleep 0.2; done") with { OutputLimit = null }, cancellationToken);
        var most = 0;
        var started = ground.Time.GetTimestamp();
        while (ground.Time.GetElapsedTime(started) < Burn)
        {
            most = Math.Max(most, ProcessTable.All().Count() - before);
            await Task.Delay(Poll, ground.Time, cancellationToken);
        }

        var beside = await ground.BystanderAsync(cancellationToken);
        await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
        // Others start processes on the host too.
        return most > ground.Spec().Limits.MaxProcesses + 100 ? $"the host had {most} processes more" : beside ?? Left(sandbox.Name);
    }

    private static async Task<string?> MemoryAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var spec = ground.Spec();
        var sandbox = await ground.StartedAsync(spec, cancellationToken);
        var wanted = (spec.Limits.MemoryBytes >> 20) + 128;
        var output = await TryRunAsync(ground, sandbox, FormattableString.Invariant($"perl -e 'for (1 .. {wanted}) {{ push @x, \"x\" x (1 << 20) }} print \"reached\\n\"'"), cancellationToken);
        var held = HostileGround.Memory(sandbox.Name);
        var beside = await ground.BystanderAsync(cancellationToken);
        await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
        return output.Contains("reached", StringComparison.Ordinal) ? $"it had {wanted} MiB, and was given {spec.Limits.MemoryBytes >> 20}"
            : held > spec.Limits.MemoryBytes + Overhead ? $"it holds {held >> 20} MiB of the host" : beside ?? Left(sandbox.Name);
    }

    private static async Task<string?> DiskAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var spec = ground.Spec();
        var sandbox = await ground.StartedAsync(spec, cancellationToken);
        await TryRunAsync(
            ground, sandbox,
            """
            truncate -s 1T /work/sparse; perl -e 'for (1 .. 3000) { open my $f, ">", "/work/inode$_" }'
            cat /dev/zero > /work/fill; cat /dev/zero > /home/agent/fill; fallocate -l 100G /work/much; sync
            """,
            cancellationToken);
        var held = await HostileGround.DiskAsync(sandbox, cancellationToken);
        var beside = await ground.BystanderAsync(cancellationToken);
        await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
        return held > spec.Limits.DiskBytes + Slack ? $"it took {held >> 20} MiB of the host's disk, and was given {spec.Limits.DiskBytes >> 20}" : beside ?? Left(sandbox.Name);
    }

    private static async Task<string?> FloodAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var sandbox = await ground.StartedAsync(ground.Spec(), cancellationToken);
        var disk = await HostileGround.DiskAsync(sandbox, cancellationToken);
        var memory = HostileGround.Memory(sandbox.Name) + Environment.WorkingSet;
        await using var unread = await sandbox.ExecAsync(ground.Script("yes & yes >&2") with { OutputLimit = null }, cancellationToken);
        await TryRunAsync(ground, sandbox, "for f in /dev/console /dev/ttyS0 /dev/kmsg /dev/tty0 /proc/1/fd/1 /proc/1/fd/2; do [ -e $f ] && timeout 3 yes 'evil flood of the console' > $f & done 2>/dev/null; wait", cancellationToken);
        var disk2 = await HostileGround.DiskAsync(sandbox, cancellationToken) - disk;
        // The guest's own memory becomes the host's when it is first touched.
        var memory2 = HostileGround.Memory(sandbox.Name) + Environment.WorkingSet - memory;
        var beside = await ground.BystanderAsync(cancellationToken);
        await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
        return disk2 > Slack ? $"the host keeps {disk2 >> 20} MiB of it on disk" : memory2 > (512L << 20) + Slack ? $"the host keeps {memory2 >> 20} MiB of it in memory" : beside ?? Left(sandbox.Name);
    }

    private static async Task<string?> LifetimeAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var spec = ground.Spec();
        var sandbox = await ground.StartedAsync(spec with { Limits = spec.Limits with { Lifetime = TimeSpan.FromSeconds(20) } }, cancellationToken);
        try
        {
            await using var endless = await sandbox.ExecAsync(ground.Script("trap '' TERM HUP INT; while :; do :; done") with { Timeout = null }, cancellationToken);
            await endless.WaitAsync(cancellationToken).WaitAsync(TimeSpan.FromSeconds(20) + EndPatience, ground.Time, cancellationToken);
        }
        catch (GjollException)
        {
            // Ended as well, before it could be waited for.
        }
        catch (TimeoutException)
        {
            return "it lives on after its lifetime";
        }

        // Whoever waits for a program learns of the end before the host has put everything away.
        return await LeftAsync(ground, sandbox.Name, cancellationToken)
            ?? ((await sandbox.InspectAsync(cancellationToken)).State is var state && state != SandboxState.Stopped ? $"it is {state} after its lifetime" : null);
    }

    private static async Task<string?> StubbornAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var sandbox = await ground.StartedAsync(ground.Spec(), cancellationToken);
        await using var stubborn = await sandbox.ExecAsync(ground.Script("trap '' TERM HUP INT; while :; do sleep 1; done") with { Timeout = null }, cancellationToken);
        await TryRunAsync(
            ground, sandbox,
            """
            kill -STOP 1; kill -TERM 1; kill -9 1
            for s in /proc/[0-9]*/exe; do case $(readlink $s) in *gjoll*) p=${s#/proc/}; p=${p%/exe}; kill -STOP $p; kill -9 $p;; esac; done
            perl -e 'for my $id (grep { -d "/proc/$_" } 2 .. 400) { next if $id == $$ || $id == getppid; kill "STOP", $id }'
            """,
            cancellationToken);
        var started = ground.Time.GetTimestamp();
        await sandbox.StopAsync(Grace, cancellationToken);
        var took = ground.Time.GetElapsedTime(started);
        var state = (await sandbox.InspectAsync(cancellationToken)).State;
        return state != SandboxState.Stopped ? $"it is {state} after it was stopped" : took > Grace + EndPatience ? $"it took {took.TotalSeconds:0} seconds to end" : Left(sandbox.Name) ?? await ground.BystanderAsync(cancellationToken);
    }

    private static async Task<string?> CrashAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        foreach (var end in (string[])["echo 1 > /proc/sys/kernel/sysrq; echo c > /proc/sysrq-trigger", "echo o > /proc/sysrq-trigger; poweroff -f; reboot -f; halt -f", "echo 1 > /proc/sys/kernel/panic_on_oops; kill -SEGV 1; perl -e 'syscall 169, 0xfee1dead, 672274793, 0x4321fedc, 0'"])
        {
            var sandbox = await ground.StartedAsync(ground.Spec(), cancellationToken);
            await TryRunAsync(ground, sandbox, $"({end}) 2>/dev/null; sleep 3", cancellationToken);
            var started = ground.Time.GetTimestamp();
            await sandbox.StopAsync(Grace, cancellationToken);
            await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
            if (ground.Time.GetElapsedTime(started) > Grace + EndPatience)
            {
                return "it does not end within its grace";
            }

            if ((Left(sandbox.Name) ?? await ground.BystanderAsync(cancellationToken)) is { } reached)
            {
                return reached;
            }
        }

        return null;
    }

    /// <summary>What a script wrote; nothing when it took its own ground away.</summary>
    private static async Task<string> TryRunAsync(HostileGround ground, ISandbox sandbox, string script, CancellationToken cancellationToken)
    {
        using var bounded = new CancellationTokenSource(TimeSpan.FromMinutes(2), ground.Time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(bounded.Token, cancellationToken);
        try
        {
            return await ground.RunAsync(sandbox, script, either.Token);
        }
        catch (GjollException)
        {
            return "";
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return "";
        }
    }

    private static string? Left(SandboxName name) => HostileGround.Processes(name) is { Count: > 0 } left ? $"{left.Count} processes are left of it" : null;

    private static async Task<string?> LeftAsync(HostileGround ground, SandboxName name, CancellationToken cancellationToken)
    {
        var started = ground.Time.GetTimestamp();
        while (Left(name) is { } left)
        {
            if (ground.Time.GetElapsedTime(started) > EndPatience)
            {
                return left;
            }

            await Task.Delay(Poll, ground.Time, cancellationToken);
        }

        return null;
    }
}
