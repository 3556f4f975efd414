using System.Globalization;
using Gjoll.Hosts;
using Gjoll.Records;

namespace Gjoll.Bubblewrap;

public sealed partial class BubblewrapProvider
{
    public async Task<SweepReport> SweepAsync(Func<SandboxInfo, bool> keep, CancellationToken cancellationToken)
    {
        var report = await new Sweep<SandboxRecord>(_folders, _registry, _cgroups, _host, _time).RunAsync(keep, cancellationToken);
        return report with { Strays = [.. report.Strays, .. SweepProbes()] };
    }

    private List<string> SweepProbes()
    {
        List<string> strays = [];
        if (!Directory.Exists(_folders.Root))
        {
            return strays;
        }

        foreach (var folder in Directory.EnumerateDirectories(_folders.Root, HostAbilities.ProbePrefix + "*"))
        {
            var owner = Path.GetFileName(folder).Split('-')[1];
            if (!int.TryParse(owner, NumberStyles.None, CultureInfo.InvariantCulture, out var id) || ProcessTable.Identify(id) is null)
            {
                Directory.Delete(folder, recursive: true);
                strays.Add($"folder {folder}");
            }
        }

        return strays;
    }
}
