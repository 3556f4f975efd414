using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;

namespace Drella.Doctor;

/// <summary>
/// Does from inside a sandbox what a hostile agent would do, and judges by what came back. What it reports names what was reached and never
/// repeats it: a leak must not be passed on by the one who finds it.
/// </summary>
internal sealed class SandboxAttack(ISandboxHost host, IGatehouse doors, Func<bool> hasDeniedEgress, string folder)
{
    /// <summary>A secret of the host that must not be seen inside.</summary>
    public const string Canary = "sk-ant-canary-doctor-0123456789";

    private const int MaxOutput = 256 * 1024;
    private const string Blocked = "example.com:443";
    private static readonly SandboxName Name = new("doctor-1");

    /// <summary>Addresses of other machines that must not be reached.</summary>
    public IReadOnlyList<string> Elsewhere { get; init; } = ["1.1.1.1:80", "169.254.169.254:80", "192.168.0.1:80"];

    /// <summary>The guest has a kernel of its own, whose root is no root here.</summary>
    public bool IsMachine { get; init; }

    public async Task<IReadOnlyList<Check>> RunAsync(CancellationToken cancellationToken)
    {
        var secret = Path.Combine(folder, "secret");
        await File.WriteAllTextAsync(secret, Canary, cancellationToken);
        try
        {
            var sockets = await doors.OpenAsync(Name, cancellationToken);
            var sandbox = await host.EnsureRunningAsync(
                new SandboxRequest
                {
                    Name = Name,
                    Limits = new SandboxLimits(1L << 30, 256L << 20, 128, 1, TimeSpan.FromMinutes(10)),
                    Agents = [],
                    Doorways = [new Doorway(Doors.ModelPort, sockets.ModelSocket), new Doorway(Doors.EgressPort, sockets.EgressSocket), new Doorway(Doors.ToolPort, sockets.ToolSocket)],
                },
                cancellationToken);
            var token = doors.Admit(Name, new Assignment(JobId.For("doctor"), 1, 1, "producer"), EgressPolicy.Nothing, new ModelPolicy(["none"], 256));
            async Task<string> Inside(string script)
            {
                var result = await sandbox.RunAsync(
                    new GuestCommand { Command = ["sh", "-c", script], Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" }, WorkingFolder = sandbox.Workspace }, MaxOutput, cancellationToken);
                return result.Output + result.Error;
            }

            return
            [
                ByProxy(await Inside($"printf 'CONNECT {Blocked} HTTP/1.1\\r\\nHost: {Blocked}\\r\\nProxy-Authorization: Bearer {token}\\r\\n\\r\\n' | {Talk(Doors.EgressPort)}")),
                await DirectlyAsync(Inside),
                Credentials(await Inside("env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'"), token),
                await FilesAsync(Inside, secret),
                ForeignToken(await Inside($"printf 'POST /mcp HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nAuthorization: Bearer not-the-token\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{{}}' | {Talk(Doors.ToolPort)}")),
                IsMachine
                    ? Machine(await Inside("cat /proc/sys/kernel/random/boot_id"), await File.ReadAllTextAsync("/proc/sys/kernel/random/boot_id", cancellationToken))
                    : Rights(await Inside("id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; unshare -r true 2>&1 && echo NESTED")),
            ];
        }
        finally
        {
            await host.DestroyAsync(Name, CancellationToken.None);
        }
    }

    /// <summary>Says its input to a port, and prints what comes in the next seconds.</summary>
    private static string Talk(int port) => $"bash -c 'exec 3<>/dev/tcp/127.0.0.1/{port} && cat >&3 && timeout 5 cat <&3'";

    private Check ByProxy(string answer) => Judge(
        "blocked host, by proxy",
        answer.StartsWith("HTTP/1.1 403", StringComparison.Ordinal) ? hasDeniedEgress() ? null : "the refusal was not written down"
        : $"the proxy answered '{answer.Split('\r', '\n')[0]}' for {Blocked} and should have refused with 403");

    /// <summary>
    /// Other machines may be out of reach for reasons of their own, so the host listens itself on its addresses and makes sure that it hears
    /// itself: what is not heard from inside was blocked.
    /// </summary>
    private async Task<Check> DirectlyAsync(Func<string, Task<string>> inside)
    {
        var listeners = Own().Select(address => new TcpListener(address, 0)).ToList();
        try
        {
            foreach (var listener in listeners)
            {
                listener.Start();
                using var self = new TcpClient();
                await self.ConnectAsync((IPEndPoint)listener.LocalEndpoint);
            }

            var targets = listeners.Select(listener => (IPEndPoint)listener.LocalEndpoint).Concat(Elsewhere.Select(IPEndPoint.Parse));
            var script = string.Join(';', targets.Select(target => $"timeout 3 bash -c 'exec 3<>/dev/tcp/{target.Address}/{target.Port}' 2>/dev/null && echo 'reached {target}'")) + "; true";
            var reached = (await inside(script)).Split('\n').Where(line => line.StartsWith("reached ", StringComparison.Ordinal)).ToList();
            var routes = (await inside("tail -n +2 /proc/net/route | cut -f1")).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct().ToList();
            return Judge(
                "blocked host, directly",
                reached.Count > 0 ? string.Join(", ", reached) : routes.Count > 0 ? $"there are routes out through {string.Join(' ', routes)}" : null);
        }
        finally
        {
            listeners.ForEach(listener => listener.Dispose());
        }
    }

    private static Check Credentials(string environment, string token)
    {
        var variables = environment.Split('\n').Select(line => line.Split('=', 2)).Where(pair => pair.Length == 2).ToList();
        var found = variables
            .Where(pair => pair[0].Contains("KEY", StringComparison.OrdinalIgnoreCase) || pair[0].Contains("TOKEN", StringComparison.OrdinalIgnoreCase)
                || pair[0].Contains("SECRET", StringComparison.OrdinalIgnoreCase) || pair[0].Contains("PASSWORD", StringComparison.OrdinalIgnoreCase)
                || pair[1].Contains(token, StringComparison.Ordinal) || pair[1].Contains(Canary, StringComparison.Ordinal))
            .Select(pair => pair[0]).Distinct().Order(StringComparer.Ordinal).ToList();
        return Judge(
            "no credential inside",
            found.Count > 0 ? $"the environment holds {string.Join(", ", found)}"
            : variables.Exists(pair => pair[0] == "PATH") ? null : "the environment could not be read, so nothing is proven");
    }

    private static async Task<Check> FilesAsync(Func<string, Task<string>> inside, string secret)
    {
        var shadow = await inside("cat /etc/shadow");
        var own = await inside($"cat '{secret}'");
        return Judge(
            "host files unreadable",
            own.Contains(Canary, StringComparison.Ordinal) ? $"{secret} can be read" : shadow.Contains("root:", StringComparison.Ordinal) ? "/etc/shadow can be read" : null);
    }

    private static Check ForeignToken(string answer) => Judge(
        "foreign token refused",
        answer.StartsWith("HTTP/1.1 401", StringComparison.Ordinal) ? null : $"the tools answered '{answer.Split('\r', '\n')[0]}' to a token that is not theirs and should have refused with 401");

    // An agent may be root of its machine; what counts is that the machine is not this one.
    private static Check Machine(string inside, string outside) => Judge(
        "a kernel of its own",
        !Guid.TryParse(inside.Trim(), out var guest) ? "which kernel runs inside could not be read, so nothing is proven"
        : guest == Guid.Parse(outside.Trim()) ? "programs inside run on the host's kernel" : null);

    private static Check Rights(string rights) => Judge(
        "no privileges inside",
        !rights.Contains("CapEff:\t0000000000000000", StringComparison.Ordinal) ? "processes inside have capabilities"
        : !rights.Contains("NoNewPrivs:\t1", StringComparison.Ordinal) ? "programs inside may gain privileges"
        : rights.Contains("NESTED", StringComparison.Ordinal) ? "further user namespaces can be made inside" : null);

    private static Check Judge(string name, string? fault) => new(
        name, fault is null, fault is null ? "held" : $"DID NOT HOLD: {fault}", "do not run the factory on this machine until this holds");

    private static IEnumerable<IPAddress> Own() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(card => card.OperationalStatus == OperationalStatus.Up && card.NetworkInterfaceType != NetworkInterfaceType.Loopback)
        .SelectMany(card => card.GetIPProperties().UnicastAddresses)
        .Select(unicast => unicast.Address)
        .Where(address => address.AddressFamily == AddressFamily.InterNetwork)
        .Prepend(IPAddress.Loopback)
        .Distinct();
}
