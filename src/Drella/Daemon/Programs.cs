using Drella.Drivers.Agents;
using Drella.Drivers.Processes;

namespace Drella.Daemon;

/// <summary>Finds where the agents' programs lie: beside the installation where <c>scripts/prerequisites</c> put them, else in the data folder.</summary>
internal static class Programs
{
    private const string FolderName = ".agent";

    public static AgentPrograms Locate(string dataFolder, ProcessRunner processes) => new(Root(dataFolder), processes);

    public static string Root(string dataFolder)
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            var folder = Path.Combine(at.FullName, FolderName);
            if (Directory.Exists(folder))
            {
                return folder;
            }
        }

        return Path.Combine(dataFolder, FolderName);
    }
}
