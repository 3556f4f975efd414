using System.Net;
using System.Net.Sockets;
using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Tests;

/// <summary>A guest that means harm: letters and numbers are those of the threat list.</summary>
public sealed class BubblewrapSafetyTests : IAsyncLifetime
{
    private const string Canary = "canary-5d1f0c77";

    private readonly string _folder = TestHost.MakeFolder();
    private BubblewrapProvider _provider = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public ValueTask InitializeAsync()
    {
        _provider = new BubblewrapProvider(new BubblewrapOptions { StateFolder = _folder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        await _provider.SweepAsync(_ => false, CancellationToken.None);
        await _provider.DisposeAsync();
        await TestHost.RunAsync("rm", "-rf", _folder);
    }

    [Fact]
    public async Task Guest_HasNoCapabilityAndCannotGainOne()
    {
        var sandbox = await StartedAsync();

        var status = await OutputAsync(sandbox, "cat /proc/self/status; id -u; id -G");

        Assert.Contains("CapInh:\t0000000000000000", status, StringComparison.Ordinal);
        Assert.Contains("CapPrm:\t0000000000000000", status, StringComparison.Ordinal);
        Assert.Contains("CapEff:\t0000000000000000", status, StringComparison.Ordinal);
        Assert.Contains("CapAmb:\t0000000000000000", status, StringComparison.Ordinal);
        Assert.Contains("NoNewPrivs:\t1", status, StringComparison.Ordinal);
        Assert.EndsWith("1000\n1000\n", status, StringComparison.Ordinal);
        await DeniedAsync(sandbox, "mount -t tmpfs none /tmp");
        await DeniedAsync(sandbox, "unshare --user true");
        await DeniedAsync(sandbox, "unshare --net true");
        await DeniedAsync(sandbox, "unshare --mount true");
        await DeniedAsync(sandbox, "/usr/sbin/chroot / true");
        await DeniedAsync(sandbox, "echo 1 > /proc/sys/net/ipv4/ip_forward");
        await DeniedAsync(sandbox, "mknod /work/disk b 7 0");
        await DeniedAsync(sandbox, "echo 1 > /proc/sys/kernel/sysrq");
        await DeniedAsync(sandbox, "echo 0 > /proc/sys/user/max_user_namespaces");
        await DeniedAsync(sandbox, "nsenter --target 1 --mount true");
        await DeniedAsync(sandbox, "su -c true");
        await DeniedAsync(sandbox, "hostname changed");
        Assert.Equal("", await OutputAsync(sandbox, "grep -v nosuid /proc/self/mounts || true"));
    }

    [Fact]
    public async Task Guest_RunsAsAKernelUserOfItsOwnWhenTheHostIsRoot()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can give a guest another user.");
        var first = await StartedAsync();
        var second = await StartedAsync();

        var users = new List<string>();
        foreach (var sandbox in (ISandbox[])[first, second])
        {
            // From the inner namespace's number to that of the kernel, by the file it makes.
            await using var process = await sandbox.ExecAsync(Some.Shell("echo up; cat") with { OpenStandardInput = true }, Cancel);
            using var reader = new StreamReader(process.StandardOutput);
            await reader.ReadLineAsync(Cancel);
            users.AddRange(HostProcesses().Where(id => Arguments(id) is ["/bin/sh", "-c", "echo up; cat", ..] && InsideSomeSandbox(id)).Select(UserOf).Distinct());
        }

        Assert.Equal(2, users.Count);
        Assert.Equal(2, users.Distinct().Count());
        Assert.All(users, user => Assert.True(uint.Parse(user, System.Globalization.CultureInfo.InvariantCulture) > 1_000_000));
    }

    [Fact]
    public async Task Guest_SeesOnlyItsOwnProcesses()
    {
        var sandbox = await StartedAsync();

        var seen = await OutputAsync(sandbox, "for p in /proc/[0-9]*; do tr '\\0' ' ' < $p/cmdline; echo; done 2>/dev/null");

        Assert.DoesNotContain("Gjoll.Tests", seen, StringComparison.Ordinal);
        Assert.DoesNotContain("dotnet", seen, StringComparison.Ordinal);
        Assert.InRange(seen.Split('\n').Length, 2, 12);
        // Signals to numbers that the host uses reach nobody.
        await DeniedAsync(sandbox, $"kill -0 {Environment.ProcessId}");
    }

    [Fact]
    public async Task Guest_FindsNothingOfTheHostInAnyEnvironmentOrCommandLine()
    {
        Environment.SetEnvironmentVariable("GJOLL_TEST_CANARY", Canary);
        var sandbox = await StartedAsync();

        var all = await OutputAsync(sandbox, "env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | tr '\\0' '\\n'; cat /proc/self/mountinfo");

        Assert.DoesNotContain(Canary, all, StringComparison.Ordinal);
        Assert.DoesNotContain("DOTNET", all, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Host_ShowsNoEnvironmentValueOfTheGuestInACommandLine()
    {
        var sandbox = await StartedAsync();
        await using var process = await sandbox.ExecAsync(
            Some.Shell("echo up; cat") with { OpenStandardInput = true, Environment = new Dictionary<string, string> { ["TOKEN"] = Canary } }, Cancel);
        using var reader = new StreamReader(process.StandardOutput);
        await reader.ReadLineAsync(Cancel);

        Assert.DoesNotContain(HostProcesses().SelectMany(Arguments), argument => argument.Contains(Canary, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Environment_CannotActOnWhatOpensTheDoor()
    {
        var sandbox = await StartedAsync();
        // Loaded by anything that runs before the guest's own program, this would be tried where the path does not exist, and complained about.
        var result = await sandbox.RunAsync(
            new ExecSpec
            {
                Command = ["/bin/sh", "-c", "echo $BASH_ENV"],
                Environment = new Dictionary<string, string> { ["LD_PRELOAD"] = "/work/evil.so", ["BASH_ENV"] = "/work/evil", ["ENV"] = "/work/evil", ["PATH"] = "/work" },
            },
            Cancel);

        Assert.Equal("/work/evil\n", result.OutputText);
        Assert.Equal(1, result.ErrorText.Split("evil.so").Length - 1);
    }

    [Fact]
    public async Task Guest_HasNoInterfaceButLoopbackAndNoWayOut()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        var port = ((IPEndPoint)listener.LocalEndpoint).Port;
        var sandbox = await StartedAsync();

        Assert.Equal("lo\n", await OutputAsync(sandbox, "tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"));
        Assert.Equal("", await OutputAsync(sandbox, "tail -n +2 /proc/net/route"));
        foreach (var address in (string[])[$"127.0.0.1:{port}", $"127.1:{port}", $"0:{port}", $"[::1]:{port}", $"[::ffff:127.0.0.1]:{port}", "169.254.169.254:80",
            "[fd00:ec2::254]:80", "10.0.0.1:80", "192.168.0.1:80", "172.17.0.1:80", "100.64.0.1:80", "8.8.8.8:53", "2130706433:" + port])
        {
            await DeniedAsync(sandbox, $"{Some.Talk} {address} < /dev/null");
        }

        await DeniedAsync(sandbox, "perl -MSocket=:all -e 'socket(my $s, AF_INET, SOCK_DGRAM, 0) && connect($s, pack_sockaddr_in(53, inet_aton(\"8.8.8.8\"))) && send($s, \"x\", 0) or exit 1'");
        Assert.False(listener.Pending());
        listener.Stop();
    }

    [Fact]
    public async Task Guest_ReachesNoAbstractSocketOfTheHost()
    {
        var name = $"gjoll-test-{Environment.ProcessId}";
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint("\0" + name));
        listener.Listen();
        var sandbox = await StartedAsync();

        Assert.DoesNotContain(name, await OutputAsync(sandbox, "cat /proc/net/unix"), StringComparison.Ordinal);
        await DeniedAsync(sandbox, $"{Some.Talk} @{name} < /dev/null");
        Assert.False(listener.Poll(0, SelectMode.SelectRead));
    }

    [Fact]
    public async Task Guest_ReadsNoFileOfTheHost()
    {
        var secret = Path.Combine(_folder, "secret");
        await File.WriteAllTextAsync(secret, Canary, Cancel);
        var sandbox = await StartedAsync();

        foreach (var path in (string[])["/etc/shadow", "/etc/machine-id", "/root", "/var/log", "/home/" + Environment.UserName, "/sys/class/net", "/dev/kmsg", "/dev/loop0", "/dev/vda",
            "/proc/1/root" + secret, "/proc/1/cwd/../.." + secret, secret, Path.Combine(_folder, "sandboxes"), "/mnt", "/boot", "/run/docker.sock", "/run/dbus"])
        {
            await DeniedAsync(sandbox, $"ls \"$(readlink -f {path} || echo /none)\" && cat {path}/* {path}");
        }

        await DeniedAsync(sandbox, "cat /proc/kcore /dev/mem");
        Assert.Equal("agent\nnobody\nroot\n", await OutputAsync(sandbox, "cut -d: -f1 /etc/passwd | sort"));
    }

    [Fact]
    public async Task Guest_WritesNothingOutsideItsOwnPlaces()
    {
        var sandbox = await StartedAsync();

        foreach (var path in (string[])["/x", "/usr/x", "/etc/x", "/etc/passwd", "/bin/x", "/dev/x", "/run/gjoll/x", "/proc/x", "/home/x", "/opt/x", "/var/x"])
        {
            await DeniedAsync(sandbox, $"echo x >> {path}");
        }

        await OutputAsync(sandbox, "for f in /home/agent /work /tmp /var/tmp /dev/shm; do echo x > $f/x && cat $f/x; done");
    }

    [Fact]
    public async Task Guest_ReachesNoSocketOfAnotherSandbox()
    {
        var other = await _provider.CreateAsync(Some.Spec() with { Forwards = [new Forward.Tcp(8001, "model.sock")] }, Cancel);
        var socket = Path.Combine((await other.InspectAsync(Cancel)).EndpointFolder, "model.sock");
        await using var server = new EchoServer(socket, "other");
        await other.StartAsync(Cancel);
        var sandbox = await StartedAsync();

        // That of its own warden, and neither its key nor anybody's door.
        Assert.Equal("link.sock\n", await OutputAsync(sandbox, "ls -A /run/gjoll"));
        await DeniedAsync(sandbox, $"{Some.Talk} {socket} < /dev/null");
        await DeniedAsync(sandbox, $"{Some.Talk} 127.0.0.1:8001 < /dev/null");
    }

    [Fact]
    public async Task Guest_CannotTraceTheProcessesThatHoldItsWalls()
    {
        var sandbox = await StartedAsync();

        // Process 1 and the crossing process may hold more than a guest; neither its memory nor its files are the guest's to open.
        await DeniedAsync(sandbox, $"ls /proc/{Environment.ProcessId}/fd");
        var held = await OutputAsync(sandbox, "for p in /proc/[0-9]*; do ls -l $p/fd 2>/dev/null | sed -n 's/.*-> //p'; done | sort -u");
        Assert.DoesNotContain(held.Split('\n'), link => link.StartsWith('/') && !link.StartsWith("/dev/", StringComparison.Ordinal) && !link.StartsWith("/proc/", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Guest_HasNoTerminalOfTheHost()
    {
        var sandbox = await StartedAsync();

        await DeniedAsync(sandbox, "echo x > /dev/tty");
        Assert.Equal("0\n", await OutputAsync(sandbox, "cut -d' ' -f7 /proc/self/stat"));
    }

    [Fact]
    public async Task ForkBomb_StaysWithinItsLimitAndGoesWithItsSandbox()
    {
        var spec = Some.Spec();
        var sandbox = await StartedAsync(spec with { Limits = spec.Limits with { MaxProcesses = 64 } });
        var other = await StartedAsync();

        await ShellAsync(sandbox, "b() { b | b & }; b; sleep 1");
        // A bomb burns down at its limit; what only stays is counted.
        await using var crowd = await sandbox.ExecAsync(
            Some.Shell("(i=0; while [ $i -lt 300 ]; do sleep 600 >/dev/null 2>&1 & i=$((i+1)); done); echo $?; read end") with { OpenStandardInput = true }, Cancel);
        using var reader = new StreamReader(crowd.StandardOutput);

        Assert.NotEqual("0", await reader.ReadLineAsync(Cancel));
        Assert.Equal("fine\n", await OutputAsync(other, "echo fine"));
        Assert.InRange(Members(sandbox), 40, 64);

        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        Assert.Equal(0, Members(sandbox));
    }

    [Fact]
    public async Task Memory_IsBoundedWhereTheHostCanBoundIt()
    {
        var report = await _provider.ProbeAsync(Cancel);
        var spec = Some.Spec();
        var sandbox = await StartedAsync(spec with { Limits = spec.Limits with { MemoryBytes = 64 << 20 } });

        var result = await sandbox.RunAsync(Some.Shell("head -c 300000000 /dev/zero | tail -c 250000000 | wc -c"), Cancel);

        if (report.NotContained.Any(sentence => sentence.StartsWith("Memory", StringComparison.Ordinal)))
        {
            Assert.Equal("250000000\n", result.OutputText);
        }
        else
        {
            Assert.NotEqual("250000000\n", result.OutputText);
        }
    }

    [Fact]
    public async Task Scratch_CannotFillTheMachine()
    {
        var spec = Some.Spec();
        var sandbox = await StartedAsync(spec with { Limits = spec.Limits with { MemoryBytes = 64 << 20 } });

        foreach (var folder in (string[])["/tmp", "/dev/shm"])
        {
            await DeniedAsync(sandbox, $"head -c 100000000 /dev/zero > {folder}/big");
            await ShellAsync(sandbox, $"rm -f {folder}/big");
        }
    }

    [Fact]
    public async Task Disk_IsBoundedByItsImage()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can mount an image.");
        var spec = Some.Spec();
        var sandbox = await StartedAsync(spec with { Limits = spec.Limits with { DiskBytes = 32 << 20 } });

        await DeniedAsync(sandbox, "head -c 100000000 /dev/zero > /work/big");
        await DeniedAsync(sandbox, "truncate -s 10M /work/a && cat /dev/zero > /home/agent/more");
        Assert.Equal("still here\n", await OutputAsync(sandbox, "rm -f /work/big /home/agent/more; echo still here > /work/x; cat /work/x"));
        Assert.InRange(await HostBytesAsync(), 0, 64 << 20);
    }

    [Fact]
    public async Task Disk_IsWatchedWhereItIsAFolder()
    {
        await using var provider = new BubblewrapProvider(
            new BubblewrapOptions { StateFolder = _folder, UseDiskImages = false, WatchInterval = TimeSpan.FromMilliseconds(50) }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        var spec = Some.Spec();
        var sandbox = await provider.CreateAsync(spec with { Limits = spec.Limits with { DiskBytes = 32 << 20 } }, Cancel);
        await sandbox.StartAsync(Cancel);

        await using var filler = await sandbox.ExecAsync(Some.Shell("i=0; while :; do head -c 1000000 /dev/zero > /work/f$i; i=$((i+1)); done"), Cancel);

        Assert.Equal(ExitCause.SandboxStopped, (await filler.WaitAsync(Cancel)).Cause);
    }

    [Fact]
    public async Task File_IsBoundedWhereTheDiskIsAFolder()
    {
        await using var provider = new BubblewrapProvider(
            new BubblewrapOptions { StateFolder = _folder, UseDiskImages = false, WatchInterval = TimeSpan.FromHours(1) }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        var spec = Some.Spec();
        var sandbox = await provider.CreateAsync(spec with { Limits = spec.Limits with { DiskBytes = 32 << 20 } }, Cancel);
        await sandbox.StartAsync(Cancel);

        await DeniedAsync(sandbox, "head -c 100000000 /dev/zero > /work/one");

        Assert.Equal($"{32 << 20}\n", await OutputAsync(sandbox, "stat -c %s /work/one"));
    }

    [Fact]
    public async Task Lifetime_EndsASandbox()
    {
        await using var provider = new BubblewrapProvider(
            new BubblewrapOptions { StateFolder = _folder, WatchInterval = TimeSpan.FromMilliseconds(50) }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        var spec = Some.Spec();
        var sandbox = await provider.CreateAsync(spec with { Limits = spec.Limits with { Lifetime = TimeSpan.FromSeconds(1) } }, Cancel);
        await sandbox.StartAsync(Cancel);
        await using var sleeper = await sandbox.ExecAsync(Some.Shell("sleep 600"), Cancel);

        Assert.Equal(ExitCause.SandboxStopped, (await sleeper.WaitAsync(Cancel)).Cause);
    }

    [Fact]
    public async Task Guest_ThatKillsEverythingKillsOnlyItsOwnPrograms()
    {
        var sandbox = await StartedAsync();
        var other = await StartedAsync();
        await OutputAsync(sandbox, "echo kept > /work/kept");

        await ShellAsync(sandbox, "kill -9 -1; sleep 5");

        Assert.Equal("fine\n", await OutputAsync(sandbox, "echo fine"));
        Assert.Equal("fine\n", await OutputAsync(other, "echo fine"));
        await sandbox.StartAsync(Cancel);
        Assert.Equal("kept\n", await OutputAsync(sandbox, "cat /work/kept"));
    }

    [Fact]
    public async Task Guest_ThatWrecksItsHomeStartsAgainWithoutTouchingTheHost()
    {
        var sandbox = await StartedAsync(Some.Spec() with { ReadOnlyFolders = [new ReadOnlyFolder("/usr/share", "/opt/share")] });
        var target = Directory.CreateDirectory(Path.Combine(_folder, "target")).FullName;
        File.SetUnixFileMode(target, (UnixFileMode)Convert.ToInt32("777", 8));

        await ShellAsync(
            sandbox,
            "rm -rf ~/* ~/.[!.]* /work/* 2>/dev/null; for d in ~/opt ~/run /work/opt /work/etc ~/.gjoll ~/.config; do ln -s \"$1\" $d; done; mkfifo /work/pipe; chmod 000 /home/agent /work; true",
            target);
        await sandbox.StopAsync(TimeSpan.Zero, Cancel);
        await sandbox.StartAsync(Cancel);

        Assert.Empty(Directory.EnumerateFileSystemEntries(target));
        Assert.Equal("up\n", (await sandbox.RunAsync(Some.Shell("echo up") with { WorkingFolder = "/" }, Cancel)).OutputText);
        await _provider.DestroyAsync(sandbox.Name, Cancel);
        Assert.True(Directory.Exists(target));
    }

    [Fact]
    public async Task Probe_SaysWhatIsNotContained()
    {
        var report = await _provider.ProbeAsync(Cancel);

        Assert.True(report.Works, report.Remedy);
        Assert.Contains(report.NotContained, sentence => sentence.Contains("kernel", StringComparison.Ordinal));
        await using var plain = new BubblewrapProvider(
            new BubblewrapOptions { StateFolder = _folder, UseCgroups = false, UseDiskImages = false }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);
        var more = await plain.ProbeAsync(Cancel);
        Assert.Contains(more.NotContained, sentence => sentence.StartsWith("Memory is not limited", StringComparison.Ordinal));
        Assert.Contains(more.NotContained, sentence => sentence.StartsWith("The disk is measured", StringComparison.Ordinal));
    }

    private async Task<ISandbox> StartedAsync(SandboxSpec? spec = null)
    {
        var sandbox = await _provider.CreateAsync(spec ?? Some.Spec(), Cancel);
        await sandbox.StartAsync(Cancel);
        return sandbox;
    }

    private static Task<RunResult> ShellAsync(ISandbox sandbox, string script, params string[] arguments) =>
        sandbox.RunAsync(Some.Shell(script, arguments), Cancel);

    private static async Task<string> OutputAsync(ISandbox sandbox, string script)
    {
        var result = await ShellAsync(sandbox, script);
        Assert.True(result.Exit.Succeeded, $"{result.Exit}: {result.ErrorText}");
        return result.OutputText;
    }

    /// <summary>The attempt failed for its own reason, not because the program for it is missing.</summary>
    private static async Task DeniedAsync(ISandbox sandbox, string script)
    {
        var result = await ShellAsync(sandbox, script);
        Assert.False(result.Exit.Succeeded, $"'{script}' worked: {result.OutputText}");
        Assert.NotEqual(127, result.Exit.Code);
        Assert.DoesNotContain(Canary, result.OutputText, StringComparison.Ordinal);
    }

    private static int Members(ISandbox sandbox)
    {
        var marker = HostProcesses().FirstOrDefault(id => TestHost.EnvironmentOf(id).Any(entry => entry.EndsWith("-" + sandbox.Name.Value, StringComparison.Ordinal)
            && entry.StartsWith("GJOLL_SANDBOX=", StringComparison.Ordinal)) && InsideSomeSandbox(id));
        if (marker == 0)
        {
            return 0;
        }

        var space = TestHost.Link($"/proc/{marker}/ns/pid");
        return HostProcesses().Count(id => TestHost.Link($"/proc/{id}/ns/pid") == space);
    }

    private async Task<long> HostBytesAsync() =>
        long.Parse((await TestHost.RunAsync("du", "-s", "--block-size=1", _folder)).Split('\t')[0], System.Globalization.CultureInfo.InvariantCulture);

    private static IEnumerable<int> HostProcesses() => TestHost.Processes();

    private static string[] Arguments(int id)
    {
        try
        {
            return File.ReadAllText($"/proc/{id}/cmdline").Split('\0');
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static bool InsideSomeSandbox(int id) =>
        TestHost.Link($"/proc/{id}/ns/pid") is { } space && space != TestHost.Link("/proc/self/ns/pid");

    private static string UserOf(int id) => File.ReadLines($"/proc/{id}/status").First(line => line.StartsWith("Uid:", StringComparison.Ordinal)).Split('\t')[1];
}
