namespace Gjoll.Safety;

/// <summary>Section L: neither the sandbox beside it, nor the one before it, nor the host's end of its channel.</summary>
internal static class NeighbourCases
{
    public static IReadOnlyList<HostileCase> All { get; } =
    [
        new()
        {
            Id = "L2", Attack = "listens on the wire and guesses the addresses and sockets of other sandboxes", IsQuick = true,
            RunAsync = (ground, cancellationToken) => ground.ReachedAsync(
                """
                perl -MSocket=:all -e '
                  socket(my $sniff, 17, SOCK_RAW, unpack "n", pack "S", 3);
                  for my $last (1 .. 20) { for my $net ("10.0.2.", "192.168.122.", "172.17.0.") { socket(my $s, AF_INET, SOCK_STREAM, 0) or next; alarm 3; connect($s, pack_sockaddr_in(22, inet_aton("$net$last"))) and print "reached $net$last\n"; alarm 0 } }
                  if ($sniff && fileno $sniff) { my $in = ""; vec($in, fileno $sniff, 1) = 1; my $n = select($in, undef, undef, 0.5);
                    while ($n) { recv $sniff, my $b, 2048, 0; my $from = getsockname $sniff; my $type = unpack "n", substr $b, 12, 2; print "reached ARP of a wire\n" if $type == 0x0806; vec($in, fileno $sniff, 1) = 1; $n = select($in, undef, undef, 0) } }'
                grep -q '@' /proc/net/unix && perl -ne 'print "reached the abstract socket $1\n" if /(@(?:gjoll|dbus|docker|tmp)\S*)/' /proc/net/unix
                """,
                cancellationToken),
        },
        new()
        {
            Id = "L2 vsock", Attack = "connects to the hypervisor and to other guests by vsock", IsQuick = true, Declared = "Sockets to the hypervisor",
            RunAsync = (ground, cancellationToken) => ground.ReachedAsync(
                """
                perl -MSocket=:all -MErrno=:POSIX -e '
                  for my $cid (1 .. 5) { socket(my $s, 40, SOCK_STREAM, 0) or last; alarm 5;
                    my $ok = connect($s, pack("SSLLC4", 40, 0, 1024, $cid, 0, 0, 0, 0)); my $no = $! + 0;
                    print "reached a vsock of number $cid\n" if $ok || $no == ECONNRESET || $no == ECONNREFUSED }'
                """,
                cancellationToken),
        },
        new()
        {
            Id = "L3", Attack = "takes its end of the control channel from the guest agent and writes garbage into it",
            RunAsync = GarbageAsync,
        },
        new()
        {
            Id = "L7", Attack = "looks for what the sandbox before it left on the disk and in memory",
            RunAsync = LeftoversAsync,
        },
    ];

    private static async Task<string?> GarbageAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var sandbox = await ground.StartedAsync(ground.Spec(), cancellationToken);
        // The program is cut off with its channel, so that what it did is seen from outside. 434 is pidfd_open, 438 pidfd_getfd.
        try
        {
            await ground.RunAsync(
                sandbox,
                """
                kill -9 1; kill -STOP 1
                perl -MSocket=:all -e '
                  my $agent = syscall 434, 1, 0; my @ends;
                  for my $fd (3 .. 40) { my $f = syscall 438, $agent, $fd, 0; next if $f < 0; push @ends, $f if (readlink("/proc/self/fd/$f") // "") =~ m{vport|socket} }
                  for my $port (glob "/dev/vport*") { open my $f, "+<:raw", $port or next; push @ends, fileno $f; push @keep, $f }
                  for (1 .. 20) { my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un("/run/gjoll/link.sock")) or last; push @ends, fileno $s; push @keep, $s }
                  $SIG{PIPE} = "IGNORE"; srand 7; alarm 20;
                  my $noise = join "", map { pack "L", int rand 2 ** 32 } 1 .. 16384;
                  for my $round (1 .. 200) { for my $end (@ends) { open(my $h, ">&=", $end) or next; syswrite $h, $round % 2 ? $noise : pack("LCCSLL", 0xffffffff, $round % 32, 3, 0xffff, $round, 0xfffffff0) x 4096; push @keep, $h } }'
                """,
                cancellationToken);
        }
        catch (GjollException)
        {
            // It has cut the branch that it sat on.
        }

        var memory = HostileGround.Memory(sandbox.Name);
        var beside = await ground.BystanderAsync(cancellationToken);
        await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
        var left = HostileGround.Processes(sandbox.Name).Count;
        return beside ?? (left > 0 ? $"{left} processes are left after its destruction" : memory > 3L << 30 ? $"it holds {memory >> 20} MiB of the host's memory" : null);
    }

    private static async Task<string?> LeftoversAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var spec = ground.Spec();
        var first = await ground.StartedAsync(spec, cancellationToken);
        var canary = ground.Canary.Replace("canary", "former", StringComparison.Ordinal);
        await using var holder = await first.ExecAsync(
            ground.Script("for f in /work/a /tmp/b /dev/shm/c /home/agent/d; do for i in 1 2 3 4 5 6 7 8; do echo \"$1$1$1$1\"; done > $f; done; sync; perl -e '$| = 1; $x = $ARGV[0] x 500000; print \"ready\\n\"; sleep 600' \"$1\"", canary), cancellationToken);
        using var reader = new StreamReader(holder.StandardOutput);
        if (await reader.ReadLineAsync(cancellationToken) != "ready")
        {
            return "nothing is proved: the first sandbox could not hold its secret";
        }

        await ground.Provider.DestroyAsync(first.Name, cancellationToken);
        var second = await ground.StartedAsync(spec, cancellationToken);
        var output = await ground.RunAsync(second, HostileScripts.Scan + "\necho tried", cancellationToken, HostileScripts.PatternOf(canary));
        await ground.Provider.DestroyAsync(second.Name, cancellationToken);
        return output.Split('\n').FirstOrDefault(line => line.StartsWith("reached", StringComparison.Ordinal))
            ?? (output.Contains("tried", StringComparison.Ordinal) ? null : "nothing is proved: the search was cut short");
    }
}
