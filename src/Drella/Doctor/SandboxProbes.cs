using Drella.Core.Budgets;
using Drella.Core.Jobs;
using Drella.Core.Sandboxes;
using Drella.Core.Tools;
using Drella.Drivers.Agents;
using Drella.Drivers.Processes;
using Drella.Drivers.Sandboxes.Gjoll;
using Drella.Gateway;
using Drella.Gateway.Doors;
using Drella.Gateway.Egress;
using Drella.Gateway.Models;
using Drella.Gateway.Tools;
using Gjoll.Bubblewrap;
using Microsoft.Extensions.Logging.Abstractions;

namespace Drella.Doctor;

/// <summary>Attacks a real sandbox behind real doors, from inside, and says what held. Everything it makes is gone afterwards.</summary>
internal static class SandboxProbes
{
    private const int MaxOutput = 64 * 1024;
    private const string Canary = "sk-ant-canary-doctor-0123456789";
    private static readonly SandboxName Name = new("doctor-1");

    public static async Task<IReadOnlyList<Check>> RunAsync(string programsRoot, TimeProvider time, CancellationToken cancellationToken)
    {
        var folder = Directory.CreateTempSubdirectory("drella-doctor-").FullName;
        try
        {
            await using var provider = new BubblewrapProvider(new BubblewrapOptions { StateFolder = Path.Combine(folder, "s") }, time, NullLogger<BubblewrapProvider>.Instance);
            var host = new GjollHost(provider, new AgentPrograms(programsRoot, new ProcessRunner(time)).Folder);
            var report = await host.ProbeAsync(cancellationToken);
            if (!report.Works)
            {
                return [new Check("sandbox", false, report.Problem ?? "does not work", report.Remedy)];
            }

            var audit = new Ear();
            await using var doors = GatewayRegistration.Full(
                new GatewayOptions(new GatehouseOptions { Folder = Path.Combine(folder, "d") }, new ModelOptions(), new EgressOptions(), new ToolsOptions()),
                new Nobody(),
                audit,
                audit,
                audit,
                time,
                NullLoggerFactory.Instance);
            var checks = new List<Check> { new("sandbox", true, $"{report.Provider}; not contained: {string.Join(" ", report.NotContained)}", null) };
            try
            {
                checks.AddRange(await AttackAsync(host, doors, audit, folder, cancellationToken));
            }
            finally
            {
                await host.DestroyAsync(Name, CancellationToken.None);
            }

            return checks;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static async Task<IReadOnlyList<Check>> AttackAsync(GjollHost host, Gatehouse doors, Ear audit, string folder, CancellationToken cancellationToken)
    {
        var secret = Path.Combine(folder, "secret");
        await File.WriteAllTextAsync(secret, Canary, cancellationToken);
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

        var proxied = await Inside($"printf 'CONNECT example.com:443 HTTP/1.1\\r\\nHost: example.com:443\\r\\nProxy-Authorization: Bearer {token}\\r\\n\\r\\n' | socat -t 5 - TCP:127.0.0.1:{Doors.EgressPort}");
        var direct = await Inside("for a in 1.1.1.1 169.254.169.254 192.168.0.1; do timeout 3 socat -u OPEN:/dev/null TCP:$a:80,connect-timeout=2 && echo REACHED; done; ls /sys/class/net 2>/dev/null; cat /proc/net/dev | cut -d: -f1");
        var environment = await Inside("env; cat /proc/*/environ 2>/dev/null | tr '\\0' '\\n'");
        var files = await Inside($"cat /etc/shadow; cat '{secret}'; ls '{folder}'; ls /root /home");
        var foreign = await Inside($"printf 'POST /mcp HTTP/1.1\\r\\nHost: 127.0.0.1\\r\\nAuthorization: Bearer not-the-token\\r\\nContent-Type: application/json\\r\\nContent-Length: 2\\r\\nConnection: close\\r\\n\\r\\n{{}}' | socat -t 5 - TCP:127.0.0.1:{Doors.ToolPort},shut-none");
        var rights = await Inside("id -u; grep -E 'CapEff|NoNewPrivs' /proc/self/status; unshare -r true 2>&1 && echo NESTED");
        return
        [
            Judge("blocked host, by proxy", proxied.Contains("403", StringComparison.Ordinal) && audit.Denied("egress"), proxied),
            Judge("blocked host, directly", !direct.Contains("REACHED", StringComparison.Ordinal) && !direct.Contains("eth", StringComparison.Ordinal), direct),
            Judge("no credential inside", !environment.Contains("KEY", StringComparison.Ordinal) && !environment.Contains("TOKEN", StringComparison.Ordinal) && !environment.Contains(token, StringComparison.Ordinal), environment),
            Judge("host files unreadable", !files.Contains("root:", StringComparison.Ordinal) && !files.Contains(Canary, StringComparison.Ordinal), files),
            Judge("foreign token refused", foreign.Contains("401", StringComparison.Ordinal), foreign),
            Judge("no privileges inside", rights.Contains("CapEff:\t0000000000000000", StringComparison.Ordinal) && rights.Contains("NoNewPrivs:\t1", StringComparison.Ordinal) && !rights.Contains("NESTED", StringComparison.Ordinal), rights),
        ];
    }

    private static Check Judge(string name, bool held, string seen) => new(
        name, held, held ? "held" : "DID NOT HOLD: " + seen.Trim().Split('\n')[^1], "do not run the factory on this machine until this holds");

    /// <summary>Answers no model call.</summary>
    private sealed class Nobody : IModelUpstream
    {
        public IReadOnlyList<string> Secrets => [Canary];

        public Task<UpstreamAnswer> SendAsync(UpstreamCall call, CancellationToken cancellationToken) => throw new HttpRequestException("no model is asked by doctor");
    }

    /// <summary>Stands where the core would: grants nothing and hears what the doors decide.</summary>
    private sealed class Ear : IModelLedger, IToolDesk, IDoorAudit
    {
        private readonly System.Collections.Concurrent.ConcurrentBag<DoorDecision> heard = [];

        public bool Denied(string door) => heard.Any(decision => decision.Door == door && !decision.Allowed);

        public Task RecordAsync(SandboxName sandbox, Assignment? assignment, DoorDecision decision, CancellationToken cancellationToken)
        {
            heard.Add(decision);
            return Task.CompletedTask;
        }

        public Task<Reservation> ReserveAsync(Assignment assignment, ModelCall call, CancellationToken cancellationToken) => Task.FromResult<Reservation>(new Reservation.Stale());

        public Task SettleAsync(Assignment assignment, string callId, ModelUsage usage, CancellationToken cancellationToken) => Task.CompletedTask;

        public IReadOnlyList<ToolDefinition> ToolsFor(Assignment assignment) => [];

        public Task<ToolAnswer> CallAsync(Assignment assignment, ToolCall call, CancellationToken cancellationToken) => Task.FromResult(ToolAnswer.Refused("nothing is granted"));
    }
}
