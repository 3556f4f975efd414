using System.Globalization;
using Gjoll.Bench.Machines;
using Gjoll.Bench.Starts;
using Gjoll.Hosts;

namespace Gjoll.Bench.Execs;

/// <summary>A command in a running sandbox: how long a trivial one takes, and how quickly its output comes, beside a local process and SSH.</summary>
internal static class ExecBench
{
    private const int Chunk = 64 * 1024;

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        var (ssh, reason) = await SshServer.StartAsync(run.Folder, cancellationToken);
        await using var server = ssh;
        List<BenchRow> rows = [];
        await using (var provider = BubblewrapBench.MakeProvider(run.Folder))
        {
            var name = new SandboxName("exec");
            try
            {
                var sandbox = await provider.CreateAsync(new SandboxSpec { Name = name, Limits = new SandboxLimits { DiskBytes = 1L << 30, MemoryBytes = 1L << 30 } }, cancellationToken);
                await sandbox.StartAsync(cancellationToken);
                rows.AddRange(await CompareAsync(run, "bubblewrap", sandbox, run.Size(100, 1), run.Size(64 << 20, 1 << 20), ssh, reason, cancellationToken));
            }
            finally
            {
                await provider.DestroyAsync(name, CancellationToken.None);
            }
        }

        await using var rig = await MachineRig.MakeAsync(run, cancellationToken);
        await rig.PrepareAsync(cancellationToken);
        var machine = await rig.Provider.CreateAsync(rig.Spec(WarmStart.Prefer), cancellationToken);
        await machine.StartAsync(cancellationToken);
        rows.AddRange(await CompareAsync(run, $"qemu {rig.Accelerator}", machine, rig.Rounds, run.Size(64 << 20, 1 << 20), ssh, reason, cancellationToken));
        return rows;
    }

    private static async Task<IReadOnlyList<BenchRow>> CompareAsync(
        BenchRun run, string what, ISandbox sandbox, int rounds, int bytes, SshServer? ssh, string? reason, CancellationToken cancellationToken)
    {
        string[] stream = ["head", "-c", bytes.ToString(CultureInfo.InvariantCulture), "/dev/zero"];
        var trip = new Lane($"{what} exec", token => TimeAsync(() => FirstCommand.RunAsync(sandbox, token)));
        var tripLocal = new Lane("local process", token => TimeAsync(() => HostProcess.RunAsync(["/bin/true"], token)));
        var flow = new Lane($"{what} stream", token => TimeAsync(() => ReadAsync(sandbox, stream, bytes, token)));
        var flowLocal = new Lane("local pipe", token => TimeAsync(() => ReadAsync(stream, bytes, token)));
        List<Lane> trips = [trip, tripLocal], flows = [flow, flowLocal];
        if (ssh is not null)
        {
            trips.Add(new Lane("ssh", token => TimeAsync(() => HostProcess.RunAsync(ssh.Command(over: false, "/bin/true"), token))));
            trips.Add(new Lane("ssh, connected", token => TimeAsync(() => HostProcess.RunAsync(ssh.Command(over: true, "/bin/true"), token))));
            flows.Add(new Lane("ssh, connected", token => TimeAsync(() => ReadAsync(ssh.Command(over: true, stream), bytes, token))));
        }

        await Contest.RunAsync(run, rounds, cancellationToken, trips);
        await Contest.RunAsync(run, rounds, cancellationToken, flows);
        return
        [
            trip.Over(tripLocal, $"{what}: exec round trip ÷ local process with pipes"),
            .. trips.Skip(2).Select(other => trip.Over(other, $"{what}: exec round trip ÷ {other.Name}")),
            trip.Row($"{what}: exec round trip"),
            flow.Over(flowLocal, $"{what}: time of {bytes >> 20} MiB of output ÷ local pipe"),
            .. flows.Skip(2).Select(other => flow.Over(other, $"{what}: time of {bytes >> 20} MiB of output ÷ {other.Name}")),
            flow.Row($"{what}: time of {bytes >> 20} MiB of output"),
            .. ssh is null ? [BenchRow.Without($"{what}: ÷ ssh", "×", reason!)] : Array.Empty<BenchRow>(),
        ];
    }

    private static async Task<double[]> TimeAsync(Func<Task> work)
    {
        var since = new Since();
        await work();
        return [since.Milliseconds];
    }

    private static async Task ReadAsync(ISandbox sandbox, string[] command, long bytes, CancellationToken cancellationToken)
    {
        await using var process = await sandbox.ExecAsync(new ExecSpec { Command = command, WorkingFolder = "/" }, cancellationToken);
        await DrainAsync(process.StandardOutput, bytes, cancellationToken);
        await process.WaitAsync(cancellationToken);
    }

    private static async Task ReadAsync(IReadOnlyList<string> command, long bytes, CancellationToken cancellationToken)
    {
        var process = HostProcess.Start(command, new Dictionary<string, string>());
        try
        {
            process.StandardInput.Close();
            await DrainAsync(process.StandardOutput.BaseStream, bytes, cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            HostProcess.Release(process);
        }
    }

    private static async Task DrainAsync(Stream stream, long bytes, CancellationToken cancellationToken)
    {
        var buffer = new byte[Chunk];
        var total = 0L;
        int read;
        while ((read = await stream.ReadAsync(buffer, cancellationToken)) > 0)
        {
            total += read;
        }

        if (total != bytes)
        {
            throw new GjollException($"{total} bytes came instead of {bytes}.");
        }
    }
}
