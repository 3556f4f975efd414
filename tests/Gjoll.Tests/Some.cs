namespace Gjoll.Tests;

internal static class Some
{
    private static int _count;

    public static SandboxName Name() => new($"box-{Interlocked.Increment(ref _count)}");

    public static SandboxSpec Spec() => new()
    {
        Name = Name(),
        Labels = new Dictionary<string, string> { ["job"] = "7" },
        Limits = new SandboxLimits { MemoryBytes = 512 << 20, DiskBytes = 256 << 20, MaxProcesses = 200, Lifetime = TimeSpan.FromMinutes(10) },
    };

    /// <summary>
    /// For scripts in a guest, also in a small one, which has perl: connects to HOST:PORT, or to a unix socket by its path or, behind @, its abstract name;
    /// says what it is given, ends that half, and prints what comes. 1 when there is no connection.
    /// </summary>
    public const string Talk = """
        perl -MSocket=:all -e '
          my $t = shift; my $s;
          if ($t =~ m{^[/@]}) { $t =~ s/^@/\0/; socket($s, AF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un($t)) or exit 1 }
          else {
            my ($h, $p) = $t =~ m{^\[?(.*?)\]?:(\d+)$}; my ($e, $a) = getaddrinfo($h, $p, { socktype => SOCK_STREAM }); $e and exit 1;
            alarm 20; socket($s, $a->{family}, SOCK_STREAM, 0) && connect($s, $a->{addr}) or exit 1; alarm 0
          }
          while (sysread(STDIN, my $b, 65536)) { while (length $b) { my $n = syswrite($s, $b) or exit 1; substr($b, 0, $n) = "" } }
          shutdown $s, 1;
          while (sysread($s, my $b, 65536)) { print $b }'
        """;

    public static ExecSpec Shell(string script, params string[] arguments) =>
        new() { Command = ["/bin/sh", "-c", script, "sh", .. arguments], Timeout = TimeSpan.FromMinutes(1) };
}
