using Gjoll.Bubblewrap;
using Gjoll.Hosts;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gjoll.Bench.Starts;

/// <summary>A bubblewrap sandbox from nothing to the end of its first command, beside what others need for theirs.</summary>
internal static class BubblewrapBench
{
    private const int Whole = 0;
    private const int FromStart = 1;
    private const double BwrapTarget = 1.5;
    private const double PodmanTarget = 0.2;
    private const string PodmanName = "create, start and first command ÷ podman run --rootfs";

    public static BubblewrapProvider MakeProvider(string folder) => new(
        new BubblewrapOptions { StateFolder = Path.Combine(folder, "b"), NativeFolder = Repository.NativeFolder }, TimeProvider.System, NullLogger<BubblewrapProvider>.Instance);

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        await using var provider = MakeProvider(run.Folder);
        var number = 0;
        var sandbox = new Lane("bubblewrap sandbox", async token =>
        {
            var name = new SandboxName(FormattableString.Invariant($"b{++number}"));
            try
            {
                var whole = new Since();
                var made = await provider.CreateAsync(new SandboxSpec { Name = name, Limits = new SandboxLimits { DiskBytes = 1L << 30, MemoryBytes = 1L << 30 } }, token);
                var start = new Since();
                await made.StartAsync(token);
                await FirstCommand.RunAsync(made, token);
                return [whole.Milliseconds, start.Milliseconds];
            }
            finally
            {
                await provider.DestroyAsync(name, CancellationToken.None);
            }
        });
        var bwrap = new Lane("plain bwrap", async token =>
        {
            var whole = new Since();
            await HostProcess.RunAsync(["bwrap", "--unshare-all", "--ro-bind", "/", "/", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--", "/bin/true"], token);
            return [whole.Milliseconds];
        });
        var (podman, reason) = await Podman.MakeAsync(run.Folder, cancellationToken);
        var container = podman is null ? null : new Lane("podman", async token =>
        {
            var whole = new Since();
            await podman.RunAsync(token);
            return [whole.Milliseconds];
        });

        await Contest.RunAsync(run, run.Size(100, 1), cancellationToken, [sandbox, bwrap, .. container is null ? Array.Empty<Lane>() : [container]]);
        return
        [
            container is null
                ? BenchRow.Without(PodmanName, "×", reason!, PodmanTarget)
                : sandbox.Over(container, PodmanName, PodmanTarget, Whole),
            sandbox.Over(bwrap, "start and first command ÷ plain bwrap", BwrapTarget, FromStart),
            sandbox.Row("create, start and first command", lap: Whole),
            sandbox.Row("start and first command", lap: FromStart),
            bwrap.Row("plain bwrap"),
            .. container is null ? Array.Empty<BenchRow>() : [container.Row("podman run --rootfs")],
        ];
    }
}
