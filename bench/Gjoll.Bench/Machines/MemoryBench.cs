using System.Globalization;
using Gjoll.Hosts;
using Gjoll.Qemu;

namespace Gjoll.Bench.Machines;

/// <summary>
/// The proportional share (PSS) of all processes of an idle warm clone, several running: pages that clones share are divided among them. The template's
/// memory stands once in memory for all clones, and is told by itself.
/// </summary>
internal static class MemoryBench
{
    private const double TargetMegabytes = 30;

    public static async Task<IReadOnlyList<BenchRow>> RunAsync(BenchRun run, CancellationToken cancellationToken)
    {
        await using var rig = await MachineRig.MakeAsync(run, cancellationToken);
        await rig.PrepareAsync(cancellationToken);
        var folders = new MachineFolders(rig.StateFolder);
        List<ISandbox> clones = [];
        for (var clone = 0; clone < run.Size(5, 2); clone++)
        {
            clones.Add(await rig.Provider.CreateAsync(rig.Spec(WarmStart.Prefer), cancellationToken));
            await clones[^1].StartAsync(cancellationToken);
        }

        // What the guests do because they woke is no idling.
        await Task.Delay(TimeSpan.FromSeconds(run.Size(10, 0)), TimeProvider.System, cancellationToken);
        // QEMU itself carries no mark: it is below what does.
        var marked = Marking.Marked().SelectMany(process => ProcessTable.DescendantsOf(process.Process.Id).Append(process.Process).Select(one => (process.Marker, one.Id))).Distinct()
            .ToLookup(process => process.Marker, process => process.Id);
        List<double> whole = [], qemu = [], warden = [];
        foreach (var processes in clones.Select(clone => marked[folders.Marker(clone.Name)].Select(id => (Name: NameOf(id), Size: Share(id))).ToList()))
        {
            whole.Add(processes.Sum(process => process.Size));
            qemu.Add(processes.Where(process => process.Name.StartsWith("qemu", StringComparison.Ordinal)).Sum(process => process.Size));
            warden.Add(processes.Where(process => process.Name.StartsWith("gjoll-warden", StringComparison.Ordinal)).Sum(process => process.Size));
        }

        return
        [
            BenchRow.Of($"proportional memory of an idle warm clone of {clones.Count}", whole, "MB", TargetMegabytes),
            BenchRow.Of("of it QEMU", qemu, "MB"),
            BenchRow.Of("of it the warden", warden, "MB"),
        ];
    }

    private static string NameOf(int id) => File.ReadAllText($"/proc/{id}/comm").Trim();

    // Pss:               24576 kB
    private static double Share(int id) =>
        double.Parse(
            File.ReadLines($"/proc/{id}/smaps_rollup").First(line => line.StartsWith("Pss:", StringComparison.Ordinal)).Split(' ', StringSplitOptions.RemoveEmptyEntries)[1],
            CultureInfo.InvariantCulture) * 1024 / 1e6;
}
