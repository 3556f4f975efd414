using Gjoll.Bench.Machines;
using Gjoll.Qemu;

namespace Gjoll.Bench.Starts;

/// <summary>The ways to a running machine, each from nothing to the end of its first command, and the kernel by itself.</summary>
internal static class MachineBench
{
    private const double ColdTarget = 2.5;
    private const double WarmTarget = 1.0 / 20;
    private const double WarmMilliseconds = 100;
    private const double ForkTarget = 1.0 / 10;

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        await using var rig = await MachineRig.MakeAsync(run, cancellationToken);
        await rig.PrepareAsync(cancellationToken);
        var kernel = await BareKernel.MakeAsync(rig, run.Folder, cancellationToken);
        var source = await rig.Provider.CreateAsync(rig.Spec(WarmStart.Never, forkable: true), cancellationToken);
        await source.StartAsync(cancellationToken);

        var bare = new Lane("bare kernel", async token => [await kernel.BootAsync(token)]);
        var cold = new Lane("cold boot", token => StartAsync(rig, rig.Spec(WarmStart.Never), token));
        var warm = new Lane("warm claim", token => StartAsync(rig, rig.Spec(WarmStart.Prefer), token));
        var pooled = new Lane("claim from the pool", async token =>
        {
            await rig.FillPoolAsync(token);
            return await StartAsync(rig, rig.Spec(WarmStart.Prefer), token);
        });
        var fork = new Lane("fork", token => ForkAsync(rig, source.Name, token));
        await Contest.RunAsync(run, rig.Rounds, cancellationToken, bare, cold, warm, pooled, fork);

        var under = rig.Accelerator == Accelerator.Kvm ? "KVM" : "TCG";
        return
        [
            cold.Over(bare, $"cold boot to first command ÷ bare kernel to its init, {under}", ColdTarget),
            warm.Over(cold, $"warm claim from the template ÷ cold boot, {under}", WarmTarget),
            pooled.Over(cold, $"warm claim from the pool ÷ cold boot, {under}", WarmTarget),
            rig.Accelerator == Accelerator.Kvm
                ? warm.Row("warm claim from the template to first command, KVM", target: WarmMilliseconds)
                : BenchRow.Without("warm claim from the template to first command, KVM", "ms", "no KVM that works here", WarmMilliseconds),
            fork.Over(cold, $"fork ÷ cold boot, {under}", ForkTarget),
            bare.Row("bare kernel to its init"),
            cold.Row("cold boot to first command"),
            warm.Row("warm claim from the template to first command"),
            pooled.Row("warm claim from the pool to first command"),
            fork.Row("fork to first command"),
        ];
    }

    private static async Task<double[]> StartAsync(MachineRig rig, SandboxSpec spec, CancellationToken cancellationToken)
    {
        try
        {
            var since = new Since();
            var sandbox = await rig.Provider.CreateAsync(spec, cancellationToken);
            await sandbox.StartAsync(cancellationToken);
            await FirstCommand.RunAsync(sandbox, cancellationToken);
            var taken = since.Milliseconds;
            var isWarm = (await sandbox.InspectAsync(cancellationToken)).WasWarm;
            return isWarm == (spec.Start != WarmStart.Never) ? [taken] : throw new GjollException($"It was {(isWarm ? "" : "not ")}warm.");
        }
        finally
        {
            await rig.Provider.DestroyAsync(spec.Name, CancellationToken.None);
        }
    }

    private static async Task<double[]> ForkAsync(MachineRig rig, SandboxName source, CancellationToken cancellationToken)
    {
        var spec = rig.Spec(WarmStart.Never, forkable: true);
        try
        {
            var since = new Since();
            var sandbox = await rig.Provider.ForkAsync(source, spec, cancellationToken);
            await FirstCommand.RunAsync(sandbox, cancellationToken);
            return [since.Milliseconds];
        }
        finally
        {
            await rig.Provider.DestroyAsync(spec.Name, CancellationToken.None);
        }
    }
}
