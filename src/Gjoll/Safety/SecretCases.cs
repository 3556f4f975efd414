using System.Text;

namespace Gjoll.Safety;

/// <summary>Section K: there is nothing to steal. Of section G, what a copy out of a guest may fetch.</summary>
internal static class SecretCases
{
    public static IReadOnlyList<HostileCase> All { get; } =
    [
        new()
        {
            Id = "K1", Attack = "looks for a secret of the host in environments, command lines, firmware and files", IsQuick = true,
            RunAsync = (ground, cancellationToken) => ground.ReachedAsync(
                """
                (env; cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline /proc/cmdline /sys/firmware/qemu_fw_cfg/by_name/*/raw /sys/firmware/qemu_fw_cfg/by_name/*/*/*/raw /run/gjoll/* "$2" 2>/dev/null) > /tmp/all
                grep -qaE "$1" /tmp/all && echo "reached the canary"
                grep -qaE '(API_KEY|_TOKEN|SECRET|DOTNET_|AWS_)[A-Z_]*=' /tmp/all && echo "reached variables of the host"
                for f in /sys/firmware/qemu_fw_cfg/by_name/opt/*/*; do case $f in *'*'*|*/opt/gjoll/key) ;; *) echo "reached $f";; esac; done
                [ -s /tmp/all ] || echo "reached nothing at all, which proves nothing"
                rm -f /tmp/all
                cat /etc/shadow 2>/dev/null | grep -q '^root:[^*!:]' && echo "reached a password"
                """,
                cancellationToken, HostileScripts.PatternOf(ground.Canary), ground.SecretFile),
        },
        new()
        {
            Id = "K1 disk", Attack = "looks for it in all of the machine's memory, on its disks and in other processes",
            RunAsync = (ground, cancellationToken) => ground.ReachedAsync(HostileScripts.Scan, cancellationToken, HostileScripts.PatternOf(ground.Canary)),
        },
        new()
        {
            Id = "K4", Attack = "looks for the door, the socket and the key of the sandbox beside it", IsQuick = true,
            RunAsync = async (ground, cancellationToken) =>
            {
                var served = ground.OtherDoor.Served;
                var doors = await HostileGround.DoorsAsync(ground.Bystander, cancellationToken);
                var reached = await ground.ReachedAsync(
                    HostileScripts.Reach + "\n" + """
                    shift
                    for f in "$1" "$2"; do ls -d "$f" >/dev/null 2>&1 && echo "reached $f"; done
                    for f in /proc/[0-9]*/root /proc/[0-9]*/cwd; do ls -d "$f$1" >/dev/null 2>&1 && echo "reached $f$1"; done
                    ls -A /run/gjoll 2>/dev/null | grep -v '^link.sock$' | sed 's/^/reached /'
                    perl -MSocket=:all -e 'for my $p (@ARGV) { my $s; socket($s, AF_UNIX, SOCK_STREAM, 0) && connect($s, pack_sockaddr_un($p)) and print "reached $p\n" }' "$1" "$2/control.sock" "$2/link.sock"
                    """,
                    cancellationToken, $"127.0.0.1:{HostileGround.ForeignPort}", Path.Combine(doors, HostileGround.ForeignDoor), Path.GetDirectoryName(doors)!);
                return reached ?? (ground.OtherDoor.Served > served ? "the door of the sandbox beside it was used" : null);
            },
        },
        new()
        {
            Id = "K5", Attack = "goes on after its sandbox was destroyed, with the handle and the door that it had",
            RunAsync = AfterEndAsync,
        },
        new()
        {
            Id = "G4 L4", Attack = "leaves links to files of the host where the host copies from and to", IsQuick = true,
            RunAsync = LinksAsync,
        },
    ];

    private static async Task<string?> AfterEndAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        var sandbox = await ground.CreateAsync(ground.Spec() with { Forwards = [new Forward.Tcp(HostileGround.OwnPort, HostileGround.OwnDoor)] }, cancellationToken);
        var folder = await HostileGround.DoorsAsync(sandbox, cancellationToken);
        await using var door = new HostDoor(folder, HostileGround.OwnDoor, "late");
        await sandbox.StartAsync(cancellationToken);
        await using var knocking = await sandbox.ExecAsync(
            ground.Script($"trap '' TERM HUP; while :; do {HostileScripts.Talk} 127.0.0.1:{HostileGround.OwnPort} >/dev/null; done"), cancellationToken);
        await ground.Provider.DestroyAsync(sandbox.Name, cancellationToken);
        var served = door.Served;
        try
        {
            await sandbox.RunAsync(new ExecSpec { Command = ["true"] }, cancellationToken);
            return "a destroyed sandbox still runs programs";
        }
        catch (GjollException)
        {
            // As it must be.
        }

        var left = HostileGround.Processes(sandbox.Name).Count;
        return left > 0 ? $"{left} processes are left" : Directory.Exists(folder) ? "its folder is left" : door.Served > served ? "its door was used" : null;
    }

    private static async Task<string?> LinksAsync(HostileGround ground, CancellationToken cancellationToken)
    {
        await ground.RunAsync(
            ground.Hostile, "mkdir -p /work/out; ln -sfn \"$1\" /work/out/link; ln -sfn \"$(dirname \"$1\")\" /work/out/folder; ln -sfn \"$(dirname \"$1\")\" /work/in; ln -sfn /proc/self/root /work/out/root",
            cancellationToken, ground.SecretFile);
        using var copied = new MemoryStream();
        foreach (var path in (string[])["/work/out/link", "/work/out/folder/secret", "/work/out/root" + ground.SecretFile])
        {
            await TryAsync(() => ground.Hostile.CopyOutAsync(path, copied, 1 << 20, cancellationToken));
        }

        await TryAsync(() => ground.Hostile.CopyOutArchiveAsync("/work/out", copied, 1 << 20, cancellationToken));
        var source = Directory.CreateDirectory(Path.Combine(Path.GetDirectoryName(ground.SecretFile)!, "source")).FullName;
        await File.WriteAllTextAsync(Path.Combine(source, "secret"), "overwritten", cancellationToken);
        await TryAsync(() => ground.Hostile.CopyInAsync(source, "/work/in", cancellationToken));
        await TryAsync(() => ground.Hostile.WriteFileAsync("/work/in/secret", new MemoryStream("overwritten"u8.ToArray()), GuestFileMode.Readable, cancellationToken));
        await ground.RunAsync(ground.Hostile, "rm -rf /work/out /work/in", cancellationToken);
        return Encoding.Latin1.GetString(copied.ToArray()).Contains(ground.Canary, StringComparison.Ordinal) ? "a file of the host was copied out of the guest"
            : await File.ReadAllTextAsync(ground.SecretFile, cancellationToken) != ground.Canary ? "a file of the host was overwritten" : null;
    }

    private static async Task TryAsync(Func<Task> copy)
    {
        try
        {
            await copy();
        }
        catch (GjollException)
        {
            // Refused is as good as harmless.
        }
    }
}
