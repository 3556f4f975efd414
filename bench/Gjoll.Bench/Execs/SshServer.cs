using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Gjoll.Hosts;

namespace Gjoll.Bench.Execs;

/// <summary>An SSH server on loopback with keys and configuration of its own, and the command line of a client that knows it.</summary>
internal sealed class SshServer : IAsyncDisposable
{
    private const string Program = "/usr/sbin/sshd";

    private readonly Process _server;
    private readonly string[] _client;
    private readonly string _control;

    private SshServer(Process server, string[] client, string control) => (_server, _client, _control) = (server, client, control);

    /// <summary>One that answers, or why there is none.</summary>
    public static async Task<(SshServer? Server, string? Reason)> StartAsync(string parent, CancellationToken cancellationToken)
    {
        if (!File.Exists(Program) || !HostProcess.IsInstalled("ssh"))
        {
            return (null, "openssh-server or openssh-client is not installed");
        }

        var folder = Directory.CreateDirectory(Path.Combine(parent, "ssh")).FullName;
        foreach (var key in (string[])["host", "user"])
        {
            await HostProcess.RunAsync(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", Path.Combine(folder, key)], cancellationToken);
        }

        var port = FreePort();
        await File.WriteAllLinesAsync(
            Path.Combine(folder, "config"),
            [
                "ListenAddress 127.0.0.1", $"Port {port}", $"HostKey {folder}/host", $"AuthorizedKeysFile {folder}/user.pub", "PidFile none", "StrictModes no", "UsePAM no",
                "PasswordAuthentication no", "PermitRootLogin prohibit-password", "PrintMotd no", "PrintLastLog no", "UseDNS no",
            ],
            cancellationToken);
        // As root it wants an empty folder of root's below /run, which only its service makes.
        string[] server = [Program, "-D", "-e", "-f", Path.Combine(folder, "config")];
        var process = HostProcess.Start(
            Native.IsRoot ? ["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", "mount -t tmpfs tmpfs /run && mkdir /run/sshd && exec \"$@\"", "sshd", .. server] : server,
            new Dictionary<string, string>());
        string[] client =
        [
            "ssh", "-F", "none", "-p", port, "-i", Path.Combine(folder, "user"), "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=accept-new",
            "-o", $"UserKnownHostsFile={folder}/known", "-o", "BatchMode=yes", "-o", "LogLevel=ERROR", "-o", $"ControlPath={folder}/c",
        ];
        var ssh = new SshServer(process, client, Path.Combine(folder, "c"));
        try
        {
            await ssh.WaitAsync(cancellationToken);
            // One connection that stays, for commands over it; the others ask for their own.
            await HostProcess.RunAsync([.. client, "-fN", "-M", "-E", Path.Combine(folder, "log"), "127.0.0.1"], cancellationToken);
            return (ssh, null);
        }
        catch (GjollException failure)
        {
            await ssh.DisposeAsync();
            return (null, failure.Message.ReplaceLineEndings(" "));
        }
    }

    /// <summary>The command line that runs a command, over a connection of its own or the one that is there.</summary>
    public IReadOnlyList<string> Command(bool over, params IReadOnlyList<string> command) => [.. _client, .. over ? Array.Empty<string>() : ["-S", "none"], "127.0.0.1", "--", .. command];

    public async ValueTask DisposeAsync()
    {
        if (File.Exists(_control))
        {
            await HostProcess.RunAsync([.. _client, "-q", "-O", "exit", "127.0.0.1"], CancellationToken.None);
        }

        if (!_server.HasExited)
        {
            _server.Kill();
            await _server.WaitForExitAsync(CancellationToken.None);
        }

        HostProcess.Release(_server);
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                await HostProcess.RunAsync(Command(over: false, "/bin/true"), cancellationToken);
                return;
            }
            catch (GjollException) when (attempt < 20 && !_server.HasExited)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(200), cancellationToken);
            }
        }
    }

    private static string FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
    }
}
