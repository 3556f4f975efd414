namespace Gjoll.Safety;

/// <summary>Section E: there is no way out but the doors.</summary>
internal static class NetworkCases
{
    private static readonly string[] Elsewhere =
    [
        "169.254.169.254:80", "[fd00:ec2::254]:80", "10.0.0.1:80", "10.0.2.2:80", "172.17.0.1:80", "192.168.0.1:80", "192.168.122.1:53", "100.64.0.1:80",
        "[fe80::1]:80", "1.1.1.1:443", "8.8.8.8:53", "[2606:4700:4700::1111]:443",
    ];

    public static IReadOnlyList<HostileCase> All { get; } =
    [
        new()
        {
            Id = "E1 E2", Attack = "connects to a port of the host, its address spelled in every way", IsQuick = true,
            RunAsync = async (ground, cancellationToken) =>
                await ground.ConnectsAsync("", "", HostForms(ground.HostPort), cancellationToken) ?? (ground.WasReached ? "the host's listener was reached" : null),
        },
        new()
        {
            Id = "E3", Attack = "connects to metadata services, gateways, private and public addresses", IsQuick = true,
            RunAsync = (ground, cancellationToken) => ground.ConnectsAsync("", "", Elsewhere, cancellationToken),
        },
        new()
        {
            Id = "E6", Attack = "sends UDP datagrams (DNS, QUIC) and ICMP echoes", IsQuick = true,
            RunAsync = (ground, cancellationToken) => ground.ReachedAsync(
                """
                perl -MSocket=:all -e '
                  for my $to (["8.8.8.8", 53], ["1.1.1.1", 443], ["169.254.169.253", 53], ["10.0.2.3", 53], ["224.0.0.251", 5353]) {
                    socket(my $s, AF_INET, SOCK_DGRAM, 0) or next;
                    send($s, "x" x 64, 0, pack_sockaddr_in($to->[1], inet_aton($to->[0]))) and print "reached a route for datagrams to $to->[0]\n" }
                  for my $kind (SOCK_RAW, SOCK_DGRAM) { socket(my $s, AF_INET, $kind, 1) or next;
                    send($s, pack("CCnnn", 8, 0, 0xf7fd, 1, 1), 0, pack_sockaddr_in(0, inet_aton("8.8.8.8"))) and print "reached a route for ICMP\n" }'
                """,
                cancellationToken),
        },
        new()
        {
            Id = "E9", Attack = "looks for a network card, makes interfaces, routes and network namespaces, flushes filters, and tries again", IsQuick = true,
            RunAsync = async (ground, cancellationToken) =>
                await ground.ConnectsAsync(
                    """
                    for i in $(tail -n +3 /proc/net/dev | cut -d: -f1); do [ "$i" = lo ] || echo "reached the network card $i"; done
                    for i in /sys/bus/pci/devices/*/class; do case $(cat "$i" 2>/dev/null) in 0x02*) echo "reached the network card $i";; esac; done
                    (export NO_PROXY='*' no_proxy='*'; ip link set lo up; ip link add evil0 type dummy; ip link add evil1 type veth peer name evil2; ip addr add 10.0.2.15/24 dev evil0; ip addr add 192.168.0.9/24 dev evil1
                     ip link set evil0 up; ip link set evil1 up; ip link set evil2 up; ip route add default via 10.0.2.2 dev evil0; iptables -F; nft flush ruleset
                     ip tuntap add evil3 mode tap; unshare --net true; unshare --user --net true; nsenter --net=/proc/1/ns/net true; sysctl -w net.ipv4.ip_forward=1; modprobe e1000; modprobe virtio_net; modprobe vsock) >/dev/null 2>&1
                    """,
                    "ip link del evil0 2>/dev/null; ip link del evil1 2>/dev/null; ip link del evil3 2>/dev/null",
                    [.. Elsewhere.Take(4), $"10.0.2.2:{ground.HostPort}", .. HostForms(ground.HostPort).Take(2)], cancellationToken)
                ?? (ground.WasReached ? "the host's listener was reached" : null),
        },
        new()
        {
            Id = "E11", Attack = "uses its door while whoever serves it is frozen, and while it is gone", IsQuick = true,
            RunAsync = DoorAsync,
        },
    ];

    private static string[] HostForms(int port) =>
        [.. ((string[])["127.0.0.1", "127.1", "0", "0x7f.1", "0177.0.0.1", "2130706433", "[::1]", "[::ffff:127.0.0.1]", "[::]", "localhost"]).Select(address => FormattableString.Invariant($"{address}:{port}"))];

    private static async Task<string?> DoorAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var knock = $"{HostileScripts.Talk} 127.0.0.1:{HostileGround.OwnPort} 2>/dev/null";
        var open = await ground.RunAsync(ground.Hostile, knock, cancellationToken);
        if (open != "own")
        {
            return $"nothing is proved: the door says '{open}' while it is served";
        }

        var folder = await HostileGround.DoorsAsync(ground.Hostile, cancellationToken);
        await ground.Door!.DisposeAsync();
        ground.Door = null;
        string frozen;
        await using (new HostDoor(folder, HostileGround.OwnDoor, "", frozen: true))
        {
            await ground.Hostile.RefreshForwardsAsync(cancellationToken);
            frozen = await ground.RunAsync(ground.Hostile, knock + "; true", cancellationToken);
        }

        var gone = await ground.RunAsync(ground.Hostile, knock + "; true", cancellationToken);
        // Its own door is shut, so that nothing at all may answer here.
        var around = await ground.ReachedAsync(HostileScripts.Reach, cancellationToken, [.. Elsewhere.Take(2), .. HostForms(ground.HostPort).Take(2)]);
        ground.Door = new HostDoor(folder, HostileGround.OwnDoor, "own");
        await ground.Hostile.RefreshForwardsAsync(cancellationToken);
        var again = await ground.RunAsync(ground.Hostile, knock, cancellationToken);
        return frozen.Length + gone.Length > 0 ? "something answered in place of the door"
            : around ?? (again == "own" ? await ground.BystanderAsync(cancellationToken) : "the door does not work again after it is served again");
    }
}
