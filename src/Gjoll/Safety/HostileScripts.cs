namespace Gjoll.Safety;

/// <summary>What the attacks share. A guest, also a small one, has a shell and perl; what else it lacks must not make an attack look contained.</summary>
internal static class HostileScripts
{
    /// <summary>Connects to each HOST:PORT and prints what comes; code 1 when there is no connection. A silent end is waited for five seconds.</summary>
    public const string Talk = """
        perl -MSocket=:all -e '
          my ($h, $p) = shift =~ m{^\[?(.*?)\]?:(\d+)$}; my ($e, $a) = getaddrinfo($h, $p, { socktype => SOCK_STREAM }); $e and exit 1;
          $| = 1; alarm 5; my $s; socket($s, $a->{family}, SOCK_STREAM, 0) && connect($s, $a->{addr}) or exit 1;
          while (sysread($s, my $b, 65536)) { print $b }'
        """;

    /// <summary>Connects to every address given and says which were reached.</summary>
    public const string Reach = "for a in \"$@\"; do " + Talk + " \"$a\" >/dev/null 2>&1 && echo \"reached $a\"; done";

    /// <summary>
    /// Looks for what matches the pattern given in the whole memory of the machine (as root, through the kernel's own image of it), on its disks, and in
    /// what a process may read of others. The pattern must not match its own text.
    /// </summary>
    public const string Scan = """
        cat > /tmp/scan.pl <<'END'
        my $pattern = shift; my $found = 0;
        sub look { my ($name, $handle, $left) = @_; my $tail = "";
          while ($left > 0) { my $n = sysread($handle, my $b, $left < 1 << 20 ? $left : 1 << 20) or last; $left -= $n;
            if (($tail . $b) =~ /$pattern/) { print "reached the canary in $name\n"; $found = 1; last } $tail = substr($b, -64) } }
        if (open my $core, "<:raw", "/proc/kcore") {
          sysread $core, my $head, 64; my ($at, $size, $count) = (unpack("Q", substr $head, 32, 8), unpack("S", substr $head, 54, 2), unpack("S", substr $head, 56, 2));
          my @parts; sysseek $core, $at, 0;
          for (1 .. $count) { sysread $core, my $p, $size; my ($type, $flags, $offset, $virtual, $physical, $bytes) = unpack "LLQQQQ", $p; push @parts, [$offset, $bytes] if $type == 1 && $bytes <= 1 << 32 }
          for (@parts) { sysseek $core, $_->[0], 0; look("the memory of the machine", $core, $_->[1]) } print "looked into memory\n" if @parts }
        for my $disk (glob "/dev/vd* /dev/sd* /dev/loop*") { open my $d, "<:raw", $disk or next; look($disk, $d, 1 << 40); print "looked into $disk\n" }
        for my $maps (glob "/proc/[0-9]*/maps") { my ($id) = $maps =~ /(\d+)/; next if $id == $$; open my $m, "<", $maps or next; open my $d, "<:raw", "/proc/$id/mem" or next;
          while (<$m>) { my ($from, $to) = /^([0-9a-f]+)-([0-9a-f]+) r/ or next; no warnings "portable"; my ($f, $t) = (hex $from, hex $to); next if $t > 0x7fffffffffff; sysseek $d, $f, 0; look("the memory of process $id", $d, $t - $f) } }
        for my $file (split /\0/, `find /home /work /tmp /var/tmp /dev/shm /run /root -xdev -type f -size -8192k -print0 2>/dev/null`) { open my $d, "<:raw", $file or next; look($file, $d, 1 << 23) }
        END
        perl /tmp/scan.pl "$1"; rm -f /tmp/scan.pl
        """;

    /// <summary>A pattern for a text that does not occur in the pattern: two characters are given as a choice that includes them.</summary>
    public static string PatternOf(string text) =>
        $"{text[..^6]}[{text[^6]}_]{text[^5..^1]}[{text[^1]}_]";
}
